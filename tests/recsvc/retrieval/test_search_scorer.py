"""A search ranks by meaning, words and taste, whatever filter, exclusion or change of items there is."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import Item
from recsvc.model import bundle_files, text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.text_encoder import item_text
from recsvc.model.vectors import decode_8_bits, encode_8_bits, projected
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.query_encoder import QueryEncoder
from recsvc.retrieval.search_scorer import SearchScorer
from tests.recsvc.stored_bundle import STORED_BUNDLE
from training.fitting.text_projection import fit_projection

NOBODY = np.zeros(1, np.float32)


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def bundle(small_bundle: Path) -> Bundle:
    return bundle_files.load(small_bundle)


async def scorer(snapshot: ItemSnapshot, text: str, thread: ThreadPoolExecutor) -> SearchScorer:
    encoder = text_encoders.load(text_encoders.EMBEDDED)

    async def encode(query: str) -> np.ndarray:
        return (await asyncio.to_thread(encoder.encode, [query]))[0]

    terms = await QueryEncoder(snapshot, encode, thread, has_word=encoder.has_word).search_terms(text)
    return SearchScorer(snapshot, terms, np.zeros(snapshot.bundle.item_vectors.shape[1], np.float32))


def things(bundle: Bundle, rows: Rows) -> set[str]:
    return {bundle.catalogue.items[row].categories[-1] for row in rows.tolist()}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("footwear for climbing hills", "Hiking Boots"),
        ("somewhere to sleep in the woods", "Camping"),
        ("recipes for noodles", "Cookery Books"),
        ("wheelbarow", "Wheelbarrow"),
    ],
)
async def test_a_query_in_other_words_or_mistyped_finds_the_thing(
    bundle: Bundle, thread: ThreadPoolExecutor, text: str, category: str
) -> None:
    snapshot = ItemSnapshot.of(bundle, thread)
    ranking = await (await scorer(snapshot, text, thread)).ranking(5, NO_ROWS, None)
    assert category in bundle.catalogue.items[ranking.rows[0]].categories
    assert (np.diff(ranking.scores) <= 0).all()


async def test_the_words_of_one_title_find_that_item_first(bundle: Bundle, thread: ThreadPoolExecutor) -> None:
    snapshot = ItemSnapshot.of(bundle, thread)
    for row in range(0, 400, 37):
        ranking = await (await scorer(snapshot, bundle.catalogue.items[row].title, thread)).ranking(3, NO_ROWS, None)
        assert bundle.catalogue.items[ranking.rows[0]].title == bundle.catalogue.items[row].title


async def test_filters_and_exclusions_hold_and_cut_nothing_else(bundle: Bundle, thread: ThreadPoolExecutor) -> None:
    snapshot = ItemSnapshot.of(bundle, thread)
    search = await scorer(snapshot, "a red wok", thread)
    complete = await search.ranking(400, NO_ROWS, None)
    assert sorted(complete.rows) == list(range(400))
    excluded = np.sort(complete.rows[:7])
    allowed = np.arange(400) % 3 == 0
    ranking = await search.ranking(20, excluded, Selection.of(allowed))
    wanted = [row for row in complete.rows.tolist() if allowed[row] and row not in excluded][:20]
    assert ranking.rows.tolist() == wanted
    few = await search.ranking(20, NO_ROWS, Selection.of(np.isin(np.arange(400), [5, 250])))
    assert sorted(few.rows) == [5, 250]


async def test_scored_gives_the_scores_of_the_ranking_in_the_asked_order(
    bundle: Bundle, thread: ThreadPoolExecutor
) -> None:
    search = await scorer(ItemSnapshot.of(bundle, thread), "curry book", thread)
    ranking = await search.ranking(30, NO_ROWS, None)
    order = np.random.default_rng(0).permutation(30)
    scored = search.scored(ranking.rows[order])
    np.testing.assert_array_equal(scored.rows, ranking.rows[order])
    np.testing.assert_allclose(scored.scores, ranking.scores[order], atol=1e-6)
    np.testing.assert_allclose(search.parts(ranking.rows).sum(axis=0), ranking.scores, atol=1e-6)


async def test_taste_decides_between_items_of_the_same_words(bundle: Bundle, thread: ThreadPoolExecutor) -> None:
    search = await scorer(ItemSnapshot.of(bundle, thread), "tent", thread)
    before = await search.ranking(20, NO_ROWS, None)
    liked = int(before.rows[6])
    after = await replace(search, user_vector=bundle.item_vectors[liked]).ranking(20, NO_ROWS, None)
    assert after.rows.tolist().index(liked) < 6
    assert things(bundle, after.rows[:5]) == {"Tent"}


async def test_new_and_reworded_items_are_found_at_once(bundle: Bundle, thread: ThreadPoolExecutor) -> None:
    snapshot = ItemSnapshot.of(bundle, thread)
    reworded = replace(bundle.catalogue.items[3], title="Velvet Theatre Curtain", categories=("Home", "Curtains"))
    new = Item("new", "Scarlet Harmonica", "Hohner", ("Music", "Wind Instruments"))
    embeddings = await asyncio.to_thread(
        text_encoders.load(text_encoders.EMBEDDED).encode, [item_text(reworded), item_text(new)]
    )
    changes = [
        ItemChange(item.item_id, ItemField.CONTENT, 1, ItemContent(item, embedding, "encoder"))
        for item, embedding in zip((reworded, new), embeddings, strict=True)
    ]
    snapshot = await snapshot.with_changes(changes)
    assert len(snapshot.bundle.category_codes) == len(snapshot.bundle.catalogue.paths.names)
    for text, row in (("harmonica", 400), ("something to blow a tune on", 400), ("drapes", 3), ("harmonca", 400)):
        ranking = await (await scorer(snapshot, text, thread)).ranking(3, NO_ROWS, None)
        assert ranking.rows[0] == row, text


async def test_fewer_text_columns_find_the_same_things(bundle: Bundle, thread: ThreadPoolExecutor) -> None:
    vectors = decode_8_bits(bundle.text_codes)
    projection = fit_projection(vectors, 128)
    reduced = replace(
        bundle,
        text_codes=encode_8_bits(projected(vectors, projection)),
        category_codes=encode_8_bits(projected(decode_8_bits(bundle.category_codes), projection)),
        text_projection=projection,
    )
    text = "footwear for climbing hills"
    full, fewer = [await scorer(ItemSnapshot.of(each, thread), text, thread) for each in (bundle, reduced)]
    assert fewer.terms.meaning is not None
    assert fewer.terms.meaning.shape == (128,)
    expected, found = [(await search.ranking(20, NO_ROWS, None)).rows for search in (full, fewer)]
    assert len(np.intersect1d(expected, found)) >= 12
    cosines = full.parts(expected)[0]
    np.testing.assert_allclose(fewer.parts(expected)[0], cosines, atol=0.25)


async def test_a_bundle_without_text_codes_searches_by_its_item_vectors_and_words(thread: ThreadPoolExecutor) -> None:
    bundle = await asyncio.to_thread(bundle_files.load, STORED_BUNDLE)
    search = await scorer(ItemSnapshot.of(bundle, thread), bundle.catalogue.items[20].title, thread)
    ranking = await search.ranking(48, NO_ROWS, None)
    assert sorted(ranking.rows) == list(range(48))
    assert bundle.catalogue.items[ranking.rows[0]].title == bundle.catalogue.items[20].title
