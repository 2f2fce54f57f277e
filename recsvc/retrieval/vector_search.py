"""Finds the best items for a vector, among all or a selection.

A small search runs at once. Larger ones that wait at the same time run as one product in a thread.
"""

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Floats, Rows, VectorsByRow
from recsvc.ranking import NOTHING, Ranking, among
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, ItemIndex, Mask, ScanIndex, candidates_for
from recsvc.retrieval.inventory import Selection
from recsvc.runtime.batching import Batcher
from recsvc.runtime.deadline import check_deadline
from recsvc.runtime.metrics import SEARCH_BATCH_SIZE, SEARCH_SECONDS
from recsvc.runtime.tracing import span

# A search that reads at most this much runs on the event loop: it takes less than to hand it to a thread. Larger ones
# read the items once for all that wait.
MAX_BYTES_ON_LOOP = 1_000_000


@dataclass(frozen=True, slots=True)
class _Search:
    items: "ItemSearch"
    vector: Floats
    k: int
    selection: Selection | None
    bonus: Ranking


@dataclass(frozen=True, slots=True)
class _Delta:
    """An index of its own for the rows that the main index does not have, or has with an old vector.

    Attributes:
        rows: Ascending.
        index: Of the vectors of `rows`.
        current: bool (indexed,), which rows the main index has as they are now; None if it has all of them so.
    """

    rows: Rows
    index: ItemIndex
    current: Mask | None


class ItemSearch:
    """Searches item vectors: a main index, and a small delta index for the rows that came or changed later.

    Args:
        item_vectors: float32 (n, d), or their codes, int8 (n, d); see `recsvc.model.vectors.encode_8_bits`.
        executor: Runs the searches.
        main_index: Of the first `indexed` rows, some of which may be old; None to build one of all rows.
        indexed: How many rows the main index has.
        delta: The rows that the main index does not have as they are now.
        batcher: That of earlier vectors of the same items; None for a new one.
    """

    def __init__(
        self,
        item_vectors: VectorsByRow,
        executor: Executor,
        *,
        main_index: ItemIndex | None = None,
        indexed: int = 0,
        delta: _Delta | None = None,
        batcher: "Batcher[_Search, Rows] | None" = None,
    ) -> None:
        self._item_vectors = item_vectors
        self._main_index = main_index or ScanIndex(item_vectors[:])
        self._indexed = indexed if main_index is not None else item_vectors.shape[0]
        self._delta = delta
        self._executor = executor
        # It must not refer to this object: vectors that nobody uses are then freed at once, and wait for no collection.
        self._batcher: Batcher[_Search, Rows] = batcher or Batcher(_run, executor)

    @property
    def delta_rows(self) -> Rows:
        """The rows that only the delta index has as they are now, ascending."""
        return self._delta.rows if self._delta is not None else NO_ROWS

    def with_changed(self, item_vectors: VectorsByRow, rows: Rows) -> "ItemSearch":
        """Returns a search of these vectors, which differ from the current ones in `rows`; some rows may be new.

        Building an index takes a second for 100,000 items. So changes go to the delta index, until there are more than
        FULL_PRECISION_ITEMS of them.
        """
        delta_rows = np.union1d(self.delta_rows, rows).astype(np.int32)
        if len(delta_rows) > FULL_PRECISION_ITEMS:
            index = self._main_index.with_changed(item_vectors, delta_rows)
            indexed = item_vectors.shape[0]
            return ItemSearch(item_vectors, self._executor, main_index=index, indexed=indexed, batcher=self._batcher)
        return ItemSearch(
            item_vectors,
            self._executor,
            main_index=self._main_index,
            indexed=self._indexed,
            delta=_Delta(delta_rows, ScanIndex(item_vectors[delta_rows]), _current(delta_rows, self._indexed)),
            batcher=self._batcher,
        )

    async def search(
        self, vector: Floats, k: int, selection: Selection | None = None, bonus: Ranking = NOTHING
    ) -> Rows:
        """Returns rows of the selection that contain its k best: by the inner product with the vector, plus the bonus.

        They are in no order and may have duplicates. A selection of at most k rows is returned completely.

        Args:
            vector: float32 (d,).
            k: How many items.
            selection: Where to look; None for all items.
            bonus: Ascending rows, and what is added to the inner product of each.
        """
        search = _Search(self, vector, k, selection, bonus)
        with span("search", k=k):
            if self._bytes_read(search) > MAX_BYTES_ON_LOOP:
                return await self._batcher.submit(search)
            check_deadline()
            return self.run([search])[0]

    async def warm_up(self) -> None:
        """Runs the first search, which is slow."""
        await self.search(np.zeros(self._item_vectors.shape[1], np.float32), 1)

    def run(self, searches: list[_Search]) -> list[Rows]:
        """Runs searches of these vectors as one product; see `search`."""
        SEARCH_BATCH_SIZE.observe(len(searches))
        with SEARCH_SECONDS.time():
            scanned = iter(self._scan([search for search in searches if _few_rows(search) is None]))
            return [
                next(scanned) if (few := _few_rows(search)) is None else self._nearest_of(few, search)
                for search in searches
            ]

    def _bytes_read(self, search: _Search) -> int:
        if (few := _few_rows(search)) is not None:
            return len(few) * int(self._item_vectors[:1].nbytes)
        delta = self._delta.index.bytes_read(search.vector, search.k) if self._delta is not None else 0
        return delta + self._main_index.bytes_read(search.vector, search.k)

    def _scan(self, searches: list[_Search]) -> list[Rows]:
        if not searches:
            return []
        allowed = [search.selection.allowed if search.selection is not None else None for search in searches]
        vectors, k = np.stack([search.vector for search in searches]), max(search.k for search in searches)
        bonuses = [search.bonus for search in searches]
        candidates = self._main_index.search(
            vectors,
            k,
            [self._in_main_index(mask) for mask in allowed],
            [_first(bonus, self._indexed) for bonus in bonuses],
        )
        if self._delta is not None:
            delta_rows = self._delta.rows
            places = self._delta.index.search(
                vectors,
                k,
                [mask if mask is None else mask[delta_rows] for mask in allowed],
                [_by_place(bonus, delta_rows) for bonus in bonuses],
            )
            candidates = [np.concatenate((rows, delta_rows[own])) for rows, own in zip(candidates, places, strict=True)]
        return [rows if mask is None else rows[mask[rows]] for rows, mask in zip(candidates, allowed, strict=True)]

    def _in_main_index(self, allowed: Mask | None) -> Mask | None:
        """Returns which rows the main index may find; None for all. Old vectors would take the places of others."""
        current = self._delta.current if self._delta is not None else None
        if allowed is None or current is None:
            return current if allowed is None else allowed[: self._indexed]
        return allowed[: self._indexed] & current

    def _nearest_of(self, rows: Rows, search: _Search) -> Rows:
        width = candidates_for(search.k, len(rows))  # as many as the index would return
        if len(rows) <= width:
            return rows
        scores = self._item_vectors[rows] @ search.vector
        own = _by_place(search.bonus, rows)
        scores[own.rows] += own.scores
        return rows[np.argpartition(scores, -width)[-width:]]


def _run(searches: list[_Search]) -> list[Rows]:
    """Runs the searches of one batch, which may be of several `ItemSearch`."""
    places: dict[ItemSearch, list[int]] = {}
    for place, search in enumerate(searches):
        places.setdefault(search.items, []).append(place)
    results = [NO_ROWS] * len(searches)
    for items, own in places.items():
        for place, rows in zip(own, items.run([searches[place] for place in own]), strict=True):
            results[place] = rows
    return results


def _current(changed: Rows, n: int) -> Mask | None:
    """Returns which of the first n rows did not change, bool (n,); None if none of them changed. changed: ascending."""
    old = changed[: np.searchsorted(changed, n)]
    if not len(old):
        return None
    current = np.ones(n, np.bool_)
    current[old] = False
    return current


def _first(bonus: Ranking, n: int) -> Ranking:
    """Returns the part of a bonus that the first n rows have."""
    end = np.searchsorted(bonus.rows, n)
    return Ranking(bonus.rows[:end], bonus.scores[:end])


def _by_place(bonus: Ranking, rows: Rows) -> Ranking:
    """Returns the part of a bonus that some ascending rows have, by the places of the items in `rows`."""
    own = among(bonus, rows)
    return Ranking(np.searchsorted(rows, own.rows).astype(np.int32), own.scores)


def _few_rows(search: _Search) -> Rows | None:
    return search.selection.few if search.selection is not None else None
