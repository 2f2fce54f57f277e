"""Finds the best items by a scan of shortened vectors. The caller scores what is found again in float32.

The scan reads a third of what a scan of the full vectors reads, and that stays in the processor's cache. So a search
that comes alone costs a third or less. It is not exact: training measures how many of the best items it finds, and a
bundle whose share is too small has no views. What it cannot find well is scanned in full: long lists, and vectors that
are unlike those of the users that were measured.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import torch

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.search_views import SearchViews
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.index import (
    TILE_ITEMS,
    ItemIndex,
    Mask,
    best_of_tiles,
    candidates_for,
    largest_query_code,
    penalties,
)

# Longer lists are scanned in full: training measures none that are longer.
LONGEST_LIST = 500


class ShortenedScan:
    """An index that scores the shortened vectors of all items.

    Args:
        item_vectors: float32 (n, d).
        views: Of these items.
        full_scan: Searches what no view can find, among the same items.
    """

    def __init__(self, item_vectors: Floats, views: SearchViews, full_scan: ItemIndex) -> None:
        self._n = len(item_vectors)
        self._views = views
        self._full_scan = full_scan
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # codes may be mapped read-only
            self._codes = [(torch.from_numpy(view.codes), torch.from_numpy(view.scales)) for view in views.views]
        # The item-only columns are few, so they are added in full.
        self._item_only = torch.from_numpy(np.ascontiguousarray(item_vectors[:, len(views.spread) :].T))

    def bytes_read(self, vector: Floats, k: int) -> int:
        """See `ItemIndex.bytes_read`."""
        match = self._views.view_for(vector) if k <= LONGEST_LIST else None
        return self._codes[match[0]][0].nbytes if match is not None else self._full_scan.bytes_read(vector, k)

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
        # One after the other: the codes stay in the cache, and the scores of one vector stay in a nearer one.
        return [
            self._nearest(vector, k, allowed[i] if allowed else None, bonuses[i] if bonuses else NOTHING)
            for i, vector in enumerate(user_vectors)
        ]

    def _nearest(self, vector: Floats, k: int, mask: Mask | None, bonus: Ranking) -> Rows:
        match = self._views.view_for(vector)
        if match is None:
            return self._full_scan.search(vector[None], k, [mask], [bonus])[0]
        view, shortened = match
        codes, scales = self._codes[view]
        # Scores are in units of `step`, so that the product need not be multiplied by it.
        step = np.float32(np.abs(shortened).max(initial=0) / largest_query_code()) or np.float32(1)
        scores = torch.full((self._n + -self._n % TILE_ITEMS,), float("-inf"))
        of_items = scores[: self._n]
        query = torch.from_numpy(np.rint(shortened / step).astype(np.int8))
        products = torch._int_mm(codes, query[:, None])  # noqa: SLF001  torch has no public name
        torch.mul(products[:, 0], scales, out=of_items)
        of_items[None].addmm_(torch.from_numpy(vector[None, len(self._views.spread) :] / step), self._item_only)
        if len(bonus.rows):
            of_items.index_add_(0, torch.from_numpy(bonus.rows), torch.from_numpy(bonus.scores / step))
        if mask is not None:
            of_items += penalties(mask)
        width = candidates_for(k, self._n)
        return np.asarray(best_of_tiles(scores[None], width)[0].numpy(), np.int32)
