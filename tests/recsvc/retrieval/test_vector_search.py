"""A search finds the best of what is allowed, also among items that came or changed after its index was made."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recsvc.retrieval import inventory as live_catalogue
from recsvc.retrieval import vector_search as search
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.vector_search import ItemSearch

DIM, K = 24, 10


@pytest.mark.parametrize("few_items", [0, live_catalogue.FEW_ITEMS])
@pytest.mark.parametrize("n", [50, 9_000])
async def test_what_changed_is_found_as_it_is_now(n: int, few_items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_catalogue, "FEW_ITEMS", few_items)
    rng = np.random.default_rng(4)

    def vectors(rows: int) -> np.ndarray:
        return rng.standard_normal((rows, DIM)).astype(np.float32)

    items = vectors(n)
    with ThreadPoolExecutor(1) as thread:
        find = ItemSearch(items, thread)
        for changes in (3, 1, 40):
            changed = rng.choice(n, changes, replace=False).astype(np.int32)
            rows = np.append(changed, np.arange(len(items), len(items) + changes, dtype=np.int32))
            items = np.concatenate((items, vectors(changes)))
            items[changed] = 3 * vectors(changes)  # long ones are found
            before, find = find, find.with_changed(items, rows)
            for share in (1.0, 0.5, 0.01):
                allowed = rng.random(len(items)) < share
                selection = None if share == 1 else Selection.of(allowed)
                query = vectors(1)[0]
                scores = items @ query
                if selection is not None:
                    scores[~allowed] = -np.inf
                best = [row for row in np.argsort(-scores)[:K].tolist() if np.isfinite(scores[row])]
                found = await find(query, K, selection)
                assert set(best) <= set(found.tolist())
                assert selection is None or allowed[found].all()
            # Requests that began with the one before it are still answered.
            assert (await before(vectors(1)[0], K)).max() < len(items) - changes


async def test_after_many_changes_a_new_index_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FULL_PRECISION_ITEMS", 5)
    items = np.eye(8, dtype=np.float32)
    with ThreadPoolExecutor(1) as thread:
        find = ItemSearch(items[:2], thread).with_changed(items[:6], np.arange(2, 6, dtype=np.int32))
        assert len(find._late_rows) == 4
        find = find.with_changed(items, np.arange(6, 8, dtype=np.int32))
        assert len(find._late_rows) == 0
        assert items[await find(items[7], 1)][:, 7].max() == 1
