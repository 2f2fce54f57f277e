"""A search finds the best allowed items, also among those that came or changed after the index was built."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval import inventory, vector_search
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.vector_search import ItemSearch

DIM, K = 24, 10


@pytest.mark.parametrize("with_bonus", [False, True])
@pytest.mark.parametrize("few_items", [0, inventory.FEW_ITEMS])
@pytest.mark.parametrize("n", [50, 9_000])
async def test_changed_rows_are_found_by_their_new_vectors(
    n: int, few_items: int, with_bonus: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "FEW_ITEMS", few_items)
    rng = np.random.default_rng(4)

    def vectors(rows: int) -> np.ndarray:
        return rng.standard_normal((rows, DIM)).astype(np.float32)

    items = vectors(n)
    with ThreadPoolExecutor(1) as thread:
        search = ItemSearch(items, thread)
        for changes in (3, 1, 40):
            changed = rng.choice(n, changes, replace=False).astype(np.int32)
            rows = np.append(changed, np.arange(len(items), len(items) + changes, dtype=np.int32))
            items = np.concatenate((items, vectors(changes)))
            items[changed] = 3 * vectors(changes)  # long vectors rank high
            before, search = search, search.with_changed(items, rows)
            for share in (1.0, 0.5, 0.01):
                allowed = rng.random(len(items)) < share
                selection = None if share == 1 else Selection.of(allowed)
                query = vectors(1)[0]
                scores, bonus = items @ query, NOTHING
                if with_bonus:  # of changed, new and other rows
                    gaining = np.union1d(rng.choice(len(items), 30, replace=False), rows).astype(np.int32)
                    bonus = Ranking(gaining, rng.uniform(0, 20, len(gaining)).astype(np.float32))
                    scores[gaining] += bonus.scores
                if selection is not None:
                    scores[~allowed] = -np.inf
                best = [row for row in np.argsort(-scores)[:K].tolist() if np.isfinite(scores[row])]
                candidates = await search.search(query, K, selection, bonus)
                assert set(best) <= set(candidates.tolist())
                assert selection is None or allowed[candidates].all()
            # Requests that began with the earlier search are still answered.
            assert (await before.search(vectors(1)[0], K)).max() < len(items) - changes


async def test_many_changes_build_a_new_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_search, "FULL_PRECISION_ITEMS", 5)
    items = np.eye(8, dtype=np.float32)
    with ThreadPoolExecutor(1) as thread:
        search = ItemSearch(items[:2], thread).with_changed(items[:6], np.arange(2, 6, dtype=np.int32))
        assert len(search.delta_rows) == 4
        search = search.with_changed(items, np.arange(6, 8, dtype=np.int32))
        assert len(search.delta_rows) == 0
        assert items[await search.search(items[7], 1)][:, 7].max() == 1


@pytest.mark.parametrize("with_selection", [False, True])
@pytest.mark.parametrize("n", [2_000, 9_000])
async def test_rows_that_were_nearest_before_a_change_take_no_place_of_others(n: int, with_selection: bool) -> None:
    rng = np.random.default_rng(1)
    changed = rng.choice(n, n // 10, replace=False).astype(np.int32)
    before = rng.standard_normal((n, DIM)).astype(np.float32) * 0.1
    query = np.eye(DIM, dtype=np.float32)[0]
    before[changed, 0] = 5
    after = before.copy()
    after[changed, 0] = -1
    allowed = rng.random(n) < 0.9 if with_selection else np.ones(n, np.bool_)
    with ThreadPoolExecutor(1) as thread:
        search = ItemSearch(before, thread).with_changed(after[:n], np.sort(changed))
        candidates = await search.search(query, K, Selection.of(allowed) if with_selection else None)
    best = np.argsort(-np.where(allowed, after @ query, -np.inf))[:K]
    assert set(best.tolist()) <= set(candidates.tolist())


async def test_searches_of_several_versions_in_one_batch_are_each_answered_by_their_own() -> None:
    items, rows = np.eye(8, dtype=np.float32), np.arange(8, dtype=np.int32)
    versions = (items, -items, items[::-1].copy())
    everything = Selection(np.ones(8, np.bool_), None, all=False)
    with ThreadPoolExecutor(1) as thread:
        first = ItemSearch(items, thread)
        searches = (first, *(first.with_changed(version, rows) for version in versions[1:]))
        asked = [(items[n], version) for n in range(8) for version in range(3)]
        answers = await asyncio.gather(*(searches[version].search(vector, 1, everything) for vector, version in asked))
    for (vector, version), candidates in zip(asked, answers, strict=True):
        scores = versions[version] @ vector
        assert scores[candidates].max() == scores.max()
