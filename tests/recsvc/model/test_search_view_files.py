"""Views are opened as they were saved, only with the bundle they belong to, and only if they find enough."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.errors import BundleError
from recsvc.model.search_cells import by_cell
from recsvc.model.search_view_files import (
    MIN_CELL_RECALL,
    MIN_RECALL,
    RECALL_CUTS,
    SECTION,
    VIEWS,
    load_views,
    save_views,
)
from recsvc.model.search_views import Projection, SearchView, SearchViews, spread_of

SHAPE = (40, 9)


@pytest.fixture
def views() -> SearchViews:
    rng = np.random.default_rng(1)
    items, users = (rng.standard_normal((n, 9)).astype(np.float32) for n in (40, 20))
    spread = spread_of(items, 6)
    fitted = (Projection.fit(spread, users[half:, :6], 3) for half in (0, 10))
    return SearchViews(tuple(SearchView.of(projection, items, 0.25) for projection in fitted), spread)


def test_saved_views_are_opened_as_they_were(views: SearchViews, tmp_path: Path) -> None:
    described = save_views(views, dict.fromkeys(RECALL_CUTS, 1.0), tmp_path)
    opened = load_views(tmp_path, {SECTION: described}, SHAPE)
    assert opened is not None
    assert np.array_equal(opened.spread, views.spread)
    for ours, theirs in zip(opened.views, views.views, strict=True):
        assert ours.largest_loss == theirs.largest_loss
        for name in ("codes", "scales"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))
        for name in ("of_items", "of_users", "energies"):
            assert np.array_equal(getattr(ours.projection, name), getattr(theirs.projection, name))


@pytest.fixture
def views_by_cell(views: SearchViews) -> SearchViews:
    rng = np.random.default_rng(2)
    item_only, cells = rng.standard_normal((40, 3)).astype(np.float32), np.arange(40, dtype=np.int32) % 4
    weights = np.ones(3, np.float32)
    first, second = views.views
    return replace(views, views=(first, by_cell(second, item_only, cells, weights, probed=2, least_length=0.5)))


def test_the_order_of_items_by_cell_is_opened_as_it_was(views_by_cell: SearchViews, tmp_path: Path) -> None:
    described = save_views(views_by_cell, dict.fromkeys(RECALL_CUTS, MIN_CELL_RECALL), tmp_path)
    assert (described["cells"], described["probed"]) == ([0, 4], [0, 2])
    opened = load_views(tmp_path, {SECTION: described}, SHAPE)
    assert opened is not None
    assert opened.views[0].order is None
    np.testing.assert_array_equal(opened.views[1].codes, views_by_cell.views[1].codes)
    ours, theirs = opened.views[1].order, views_by_cell.views[1].order
    assert ours is not None
    assert theirs is not None
    for field in fields(ours):
        if field.name != "centres":
            np.testing.assert_array_equal(getattr(ours, field.name), getattr(theirs, field.name))
    for field in fields(ours.centres):
        np.testing.assert_array_equal(getattr(ours.centres, field.name), getattr(theirs.centres, field.name))


@pytest.mark.parametrize("cut", RECALL_CUTS)
def test_an_order_that_finds_too_little_is_not_used(cut: int, views_by_cell: SearchViews, tmp_path: Path) -> None:
    recall = dict.fromkeys(RECALL_CUTS, 1.0) | {cut: MIN_CELL_RECALL - 0.001}
    assert load_views(tmp_path, {SECTION: save_views(views_by_cell, recall, tmp_path)}, SHAPE) is None


@pytest.mark.parametrize("cut", RECALL_CUTS)
def test_views_that_find_too_little_are_not_used(cut: int, views: SearchViews, tmp_path: Path) -> None:
    enough = dict.fromkeys(RECALL_CUTS, MIN_RECALL)
    assert load_views(tmp_path, {SECTION: save_views(views, enough, tmp_path)}, SHAPE) is not None
    described = save_views(views, enough | {cut: MIN_RECALL - 0.001}, tmp_path)
    assert load_views(tmp_path, {SECTION: described}, SHAPE) is None


@pytest.mark.parametrize("section", [None, {}, "views", {"recall@10": "1", "recall@100": 1.0, "recall@500": True}])
def test_a_manifest_without_a_measured_recall_has_no_views(section: object, tmp_path: Path) -> None:
    assert load_views(tmp_path, {SECTION: section}, SHAPE) is None


@pytest.mark.parametrize("fault", ["missing", "altered", "of other items"])
def test_a_file_that_is_not_the_described_one_is_refused(fault: str, views: SearchViews, tmp_path: Path) -> None:
    described = save_views(views, dict.fromkeys(RECALL_CUTS, 1.0), tmp_path)
    shape = SHAPE
    if fault == "missing":
        (tmp_path / VIEWS).unlink()
    elif fault == "altered":
        with (tmp_path / VIEWS).open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x55")
    else:
        shape = (41, 9)
    with pytest.raises(BundleError, match=VIEWS):
        load_views(tmp_path, {SECTION: described}, shape)
