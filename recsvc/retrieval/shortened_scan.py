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
    penalties,
    query_codes,
)

# Longer lists are scanned in full: training measures none that are longer.
LONGEST_LIST = 500


class ShortenedScan:
    """An index that scores the shortened vectors of all items.

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
        self._n = len(item_vectors)
        self._views = views
        self._full_scan = full_scan
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # codes may be mapped read-only
            self._codes = [(torch.from_numpy(view.codes), torch.from_numpy(view.scales)) for view in views.views]
            # The item-only columns are few, so they are added in full.
            if item_only is None:
                item_only = np.ascontiguousarray(item_vectors[:, len(views.spread) :].T)
            self._item_only = torch.from_numpy(item_only)

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
            codes, scales = self._codes[view]
            # Scores are in units of `steps`, so that the products need not be multiplied by them.
            queries, steps = query_codes(np.stack([vector for _, vector in matched]))
            # One product for all: the codes are read from memory once.
            products = torch._int_mm(queries, codes.T)  # noqa: SLF001  torch has no public name
            for (place, _), step, product in zip(matched, steps, products, strict=True):
                mask, bonus = allowed[place] if allowed else None, bonuses[place] if bonuses else NOTHING
                in_full = torch.from_numpy(user_vectors[None, place, len(self._views.spread) :] / step)
                scores = torch.mul(product, scales)
                scores[None].addmm_(in_full, self._item_only)
                found[place] = self._best(scores, k, mask, Ranking(bonus.rows, bonus.scores / step))
        return [rows for rows in found if rows is not None]

    def _best(self, of_items: torch.Tensor, k: int, mask: Mask | None, bonus: Ranking) -> Rows:
        """Returns the candidates. of_items: scores without bonuses, float32 (n,)."""
        if len(bonus.rows):
            of_items.index_add_(0, torch.from_numpy(bonus.rows), torch.from_numpy(bonus.scores))
        if mask is not None:
            of_items += penalties(mask)
        scores = torch.full((self._n + -self._n % TILE_ITEMS,), float("-inf"))
        scores[: self._n] = of_items
        return np.asarray(best_of_tiles(scores[None], candidates_for(k, self._n))[0].numpy(), np.int32)
