"""Finds the best items by a scan of shortened vectors. The caller scores what is found again in float32.

The scan reads a third of what a scan of the full vectors reads, and that stays in the processor's cache. So a search
that comes alone costs a third or less. It is not exact: training measures how many of the best items it finds, and a
bundle whose share is too small has no views. What it cannot find well is scanned in full: long lists, and vectors that
are unlike those of the users that were measured.
"""

import warnings
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from recsvc.domain.arrays import Floats, Rows, VectorsByRow
from recsvc.model.search_cells import with_changed
from recsvc.model.search_views import SearchView, SearchViews
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.index import (
    TILE_ITEMS,
    ItemIndex,
    Mask,
    best_of_tiles,
    candidates_for,
    penalties,
    query_codes,
)
from recsvc.retrieval.inverted_lists import InvertedLists

# Longer lists are scanned in full: training measures none that are longer.
LONGEST_LIST = 500


class ViewSearch(Protocol):
    """Searches one view."""

    def bytes_read(self) -> int:
        """Returns how much memory a search of one vector reads."""
        ...

    def search(
        self, shortened: Floats, item_only: Floats, k: int, masks: Sequence[Mask | None], bonuses: Sequence[Ranking]
    ) -> list[Rows]:
        """Returns for each vector some rows that contain its k best; see `ItemIndex.search`.

        Args:
            shortened: The vectors as the view has them, float32 (b, r).
            item_only: Their item-only columns, float32 (b, o).
            k: How many of the best rows must be among those returned.
            masks: For each vector, bool (n,), or None for all rows.
            bonuses: For each vector, what is added to the scores of some rows.
        """
        ...


class ShortenedScan:
    """An index that scores the shortened vectors of all items, or of the best cells if the items stand by cell.

    Args:
        item_vectors: float32 (n, d).
        views: Of these items.
        full_scan: Searches what no view can find, among the same items.
        item_only: The columns that the views leave out, one after the other, float32 (c, n); None to copy them from
            `item_vectors`. With a stored copy, the vectors are not read.
    """

    def __init__(
        self, item_vectors: Floats, views: SearchViews, full_scan: ItemIndex, item_only: Floats | None = None
    ) -> None:
        self._views = views
        self._personal = len(views.spread)
        self._full_scan = full_scan
        if item_only is None and any(view.order is None for view in views.views):
            # The item-only columns are few, so they are added in full.
            item_only = np.ascontiguousarray(item_vectors[:, self._personal :].T)
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # the columns may be mapped read-only
            columns = torch.empty(0) if item_only is None else torch.from_numpy(item_only)
        self._searches: list[ViewSearch] = [
            _ViewScan(view, columns) if view.order is None else InvertedLists(view) for view in views.views
        ]

    def bytes_read(self, vector: Floats, k: int) -> int:
        """See `ItemIndex.bytes_read`."""
        match = self._views.view_for(vector) if k <= LONGEST_LIST else None
        return self._searches[match[0]].bytes_read() if match is not None else self._full_scan.bytes_read(vector, k)

    def with_changed(self, item_vectors: VectorsByRow, rows: Rows) -> "ShortenedScan":
        """See `ItemIndex.with_changed`."""
        vectors = item_vectors[:]
        return ShortenedScan(
            vectors, with_changed(self._views, vectors, rows), self._full_scan.with_changed(vectors, rows)
        )

    @torch.inference_mode()
    def search(
        self,
        user_vectors: Floats,
        k: int,
        allowed: Sequence[Mask | None] = (),
        bonuses: Sequence[Ranking] = (),
    ) -> list[Rows]:
        """See `ItemIndex.search`."""
        if k > LONGEST_LIST:
            return self._full_scan.search(user_vectors, k, allowed, bonuses)
        found: list[Rows | None] = [None] * len(user_vectors)
        by_view: dict[int, list[tuple[int, Floats]]] = {}
        for place, vector in enumerate(user_vectors):
            match = self._views.view_for(vector)
            if match is None:
                own = [allowed[place]] if allowed else (), [bonuses[place]] if bonuses else ()
                found[place] = self._full_scan.search(vector[None], k, *own)[0]
            else:
                by_view.setdefault(match[0], []).append((place, match[1]))
        for view, matched in by_view.items():
            places = [place for place, _ in matched]
            results = self._searches[view].search(
                np.stack([vector for _, vector in matched]),
                user_vectors[places, self._personal :],
                k,
                [allowed[place] if allowed else None for place in places],
                [bonuses[place] if bonuses else NOTHING for place in places],
            )
            for place, rows in zip(places, results, strict=True):
                found[place] = rows
        return [rows for rows in found if rows is not None]


class _ViewScan:
    """Scores all items of a view. item_only: their item-only columns, float32 (o, n)."""

    def __init__(self, view: SearchView, item_only: torch.Tensor) -> None:
        self._n = len(view.codes)
        self._item_only = item_only
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # codes may be mapped read-only
            self._codes, self._scales = torch.from_numpy(view.codes), torch.from_numpy(view.scales)

    def bytes_read(self) -> int:
        """See `ViewSearch.bytes_read`."""
        return self._codes.nbytes

    def search(
        self, shortened: Floats, item_only: Floats, k: int, masks: Sequence[Mask | None], bonuses: Sequence[Ranking]
    ) -> list[Rows]:
        """See `ViewSearch.search`."""
        # Scores are in units of `steps`, so that the products need not be multiplied by them.
        queries, steps = query_codes(shortened)
        in_full = torch.from_numpy(item_only / steps[:, None])
        # One product for all: the codes are read from memory once.
        products = torch._int_mm(queries, self._codes.T)  # noqa: SLF001  torch has no public name
        results = []
        for place, (mask, bonus) in enumerate(zip(masks, bonuses, strict=True)):
            scores = torch.mul(products[place], self._scales)
            scores[None].addmm_(in_full[place, None], self._item_only)
            results.append(self._best(scores, k, mask, Ranking(bonus.rows, bonus.scores / steps[place])))
        return results

    def _best(self, of_items: torch.Tensor, k: int, mask: Mask | None, bonus: Ranking) -> Rows:
        """Returns the candidates. of_items: scores without bonuses, float32 (n,)."""
        if len(bonus.rows):
            of_items.index_add_(0, torch.from_numpy(bonus.rows), torch.from_numpy(bonus.scores))
        if mask is not None:
            of_items += penalties(mask)
        scores = torch.full((self._n + -self._n % TILE_ITEMS,), float("-inf"))
        scores[: self._n] = of_items
        return np.asarray(best_of_tiles(scores[None], candidates_for(k, self._n))[0].numpy(), np.int32)
