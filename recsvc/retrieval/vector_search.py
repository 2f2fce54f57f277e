"""Finds the items nearest to a vector, of all or of a selection: concurrent searches as one product, in a thread."""

from concurrent.futures import Executor
from copy import copy
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, MARGIN, ItemIndex, ScanIndex
from recsvc.retrieval.inventory import Selection
from recsvc.runtime.batching import Batcher
from recsvc.runtime.metrics import SEARCH_BATCH_SIZE, SEARCH_SECONDS


@dataclass(frozen=True, slots=True)
class _Search:
    vector: Floats
    k: int
    selection: Selection | None


class ItemSearch:
    """item_vectors: float32 (n, d)."""

    def __init__(self, item_vectors: Floats, executor: Executor) -> None:
        self._item_vectors = item_vectors
        self._indexed = len(item_vectors)
        self._index: ItemIndex = ScanIndex(item_vectors)
        # Rows that the index does not have, or not as they are now, and an index of them alone.
        self._late_rows: Rows = NO_ROWS
        self._late: ItemIndex | None = None
        self._executor = executor
        self._batched: Batcher[_Search, Rows] = Batcher(self._run, executor)

    def with_changed(self, item_vectors: Floats, rows: Rows) -> "ItemSearch":
        """The search of these vectors, which differ from ours in `rows` alone, some of them new. Making an index takes
        a second for 100,000 items: as long as there are few changes, they have a small one of their own beside it.
        """
        late = np.union1d(self._late_rows, rows).astype(np.int32)
        if len(late) > FULL_PRECISION_ITEMS:
            return ItemSearch(item_vectors, self._executor)
        other = copy(self)
        other._item_vectors = item_vectors
        other._late_rows, other._late = late, ScanIndex(item_vectors[late])
        other._batched = Batcher(other._run, self._executor)
        return other

    async def __call__(self, vector: Floats, k: int, selection: Selection | None = None) -> Rows:
        """Rows among which are the k of the selection that are nearest to the (d,) vector by inner product, or all of
        it if it has no more; unordered, perhaps with doubles.
        """
        return await self._batched.submit(_Search(vector, k, selection))

    async def warm_up(self) -> None:
        """Does what is slow the first time."""
        await self(np.zeros(self._item_vectors.shape[1], np.float32), 1)

    def _run(self, searches: list[_Search]) -> list[Rows]:
        SEARCH_BATCH_SIZE.observe(len(searches))
        with SEARCH_SECONDS.time():
            found = iter(self._scan([each for each in searches if _few(each) is None]))
            return [next(found) if (few := _few(each)) is None else self._among(few, each) for each in searches]

    def _scan(self, searches: list[_Search]) -> list[Rows]:
        if not searches:
            return []
        allowed = [each.selection.allowed if each.selection is not None else None for each in searches]
        vectors, k = np.stack([each.vector for each in searches]), max(each.k for each in searches)
        found = self._index.search(vectors, k, [None if a is None else a[: self._indexed] for a in allowed])
        if self._late is not None:
            late = self._late.search(vectors, k, [None if a is None else a[self._late_rows] for a in allowed])
            found = np.concatenate((found, self._late_rows[late]), axis=1)
        return [rows if wanted is None else rows[wanted[rows]] for rows, wanted in zip(found, allowed, strict=True)]

    def _among(self, few: Rows, search: _Search) -> Rows:
        k = 2 * search.k + MARGIN  # as much as the index would give
        if len(few) <= k:
            return few
        return few[np.argpartition(self._item_vectors[few] @ search.vector, -k)[-k:]]


def _few(search: _Search) -> Rows | None:
    return search.selection.few if search.selection is not None else None
