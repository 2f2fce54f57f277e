"""Items that came after training are linked with the bought items of nearest text, in both directions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.arrays import NO_ROW
from recsvc.domain.records import ItemContent
from recsvc.domain.shop import Item
from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.text_links import TextLinks
from recsvc.model.text_neighbours import NEIGHBOURS, nearest_bought

T = 40


@pytest.fixture
def links() -> TextLinks:
    rng = np.random.default_rng(1)
    return TextLinks.empty(rng.random((T, 5)).astype(np.float16))


def entries(links: TextLinks, row: int) -> dict[int, float]:
    rows, weights = links.of_items(np.array([row], np.int32))
    pairs = zip(rows[0].tolist(), weights[0].tolist(), strict=True)
    return {linked: weight for linked, weight in pairs if linked != NO_ROW}


def with_one(links: TextLinks, row: int, bought: dict[int, float]) -> TextLinks:
    n = max(row + 1, links.n)
    cosines = np.array([list(bought.values())], np.float32).reshape(1, -1)
    return links.with_items(n, np.array([row], np.int32), np.array([[*bought]], np.intp).reshape(1, -1), cosines)


def test_a_new_item_and_the_bought_items_of_nearest_text_are_neighbours_of_each_other(links: TextLinks) -> None:
    one = with_one(links, T, {3: 0.9, 5: 0.5, 7: -0.1})
    expected = {3: 0.9 * links.scale, 5: 0.5 * links.scale}
    assert entries(one, T) == pytest.approx(expected, rel=1e-3)
    assert entries(one, 3) == pytest.approx({T: 0.9 * links.scale}, rel=1e-3)
    assert entries(one, 5) == pytest.approx({T: 0.5 * links.scale}, rel=1e-3)
    assert entries(one, 7) == {}
    assert links.n == T  # a copy: requests may still read the one before
    assert not links.linked


def test_a_row_of_equal_texts_is_as_long_as_the_median_row_of_training() -> None:
    weights = np.random.default_rng(2).random((T, 6)).astype(np.float16)
    weights[:5] = 0  # items without neighbours say nothing about the scale
    same = with_one(TextLinks.empty(weights), T, dict.fromkeys(range(NEIGHBOURS), 1.0))
    median = np.median(np.linalg.norm(weights[5:].astype(np.float64), axis=1))
    assert np.linalg.norm(list(entries(same, T).values())) == pytest.approx(median, rel=1e-2)


def test_a_bought_item_keeps_its_nearest_new_items_in_any_order_of_arrival(links: TextLinks) -> None:
    cosines = np.linspace(0.1, 0.9, NEIGHBOURS + 3).astype(np.float32)
    rows = np.arange(T, T + len(cosines), dtype=np.int32)
    n = T + len(cosines)
    at_once = links.with_items(n, rows, np.full((len(rows), 1), 6), cosines[:, None])
    assert sorted(entries(at_once, 6)) == rows[-NEIGHBOURS:].tolist()
    for order in (rows, rows[::-1], np.random.default_rng(1).permutation(rows)):
        one_by_one = links
        for row in order.tolist():
            one_by_one = one_by_one.with_items(
                n, np.array([row], np.int32), np.array([[6]]), cosines[row - T : row - T + 1, None]
            )
        assert entries(one_by_one, 6) == entries(at_once, 6)


def test_an_item_with_new_words_loses_the_links_of_its_old_words(links: TextLinks) -> None:
    before = with_one(with_one(links, T, {3: 0.9, 5: 0.5}), T + 1, {3: 0.7})
    after = with_one(before, T, {5: 0.8, 8: 0.6})
    assert sorted(entries(after, T)) == [5, 8]
    assert sorted(entries(after, 3)) == [T + 1]
    assert entries(after, 5) == pytest.approx({T: 0.8 * links.scale}, rel=1e-3)
    assert sorted(entries(after, 8)) == [T]
    again = with_one(after, T, {5: 0.8, 8: 0.6})  # a change may come twice
    assert all(entries(again, row) == entries(after, row) for row in range(T + 2))


def content(bundle: Bundle, item_id: str, like: int) -> ItemContent:
    return ItemContent(Item(item_id, "Another", "New"), bundle.restored(np.array([like], np.int32))[0], "encoder")


def test_a_bundle_links_new_items_and_no_others(small_bundle: Path) -> None:
    bundle = bundle_files.load(small_bundle)
    assert bundle.links is None
    n, like = len(bundle.catalogue), int(np.argmax(bundle.purchases))
    known = ItemContent(bundle.catalogue.items[1], np.ones(384, np.float32), "encoder")
    assert bundle.with_items([known]).links is None
    more = bundle.with_items([content(bundle, "new", like), known]).with_items([content(bundle, "newer", like)])
    assert more.links is not None
    assert more.links.n == n + 2
    bought = np.flatnonzero(bundle.purchases > 0)
    nearest, _ = nearest_bought(bundle.text_vectors(np.array([like], np.int32)), bundle.text_codes, bought)
    assert set(entries(more.links, n)) <= set(nearest[0].tolist())
    assert like in entries(more.links, n)
    assert {n, n + 1} <= set(entries(more.links, like))
    linked = [row for row in range(n + 2) if entries(more.links, row)]
    assert set(linked) <= {n, n + 1, *nearest[0].tolist()}
    config = bundle.model.neighbours
    assert n in more.neighbours.of_newest(np.array([like], np.int32)).gains(config).rows
    assert like in more.neighbours.of_newest(np.array([n], np.int32)).gains(config).rows


def test_new_items_have_no_neighbours_without_text_codes_or_weight(small_bundle: Path) -> None:
    bundle = bundle_files.load(small_bundle)
    new = [content(bundle, "new", 0)]
    codes = {name: getattr(bundle, name)[:, :0] for name in ("text_codes", "category_codes")}
    without_codes = replace(bundle, **codes).with_items(new)
    sequence = np.array([len(bundle.catalogue), 0], np.int32)
    gains = without_codes.neighbours.of_newest(sequence).gains(bundle.model.neighbours)
    assert gains.rows.tolist() == bundle.neighbours.of_newest(sequence[1:]).gains(bundle.model.neighbours).rows.tolist()
    off = replace(bundle, model=replace(bundle.model, neighbours=NeighbourConfig())).with_items(new)
    assert off.links is None
