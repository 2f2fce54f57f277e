"""Finds the best items for a user vector: scans every item in 8 bits. The caller scores the best again in float32.

The port is `ItemIndex`. `recsvc.retrieval.shortened_scan` has another index behind it, for bundles whose training has
measured that it finds the same items.
"""

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows, VectorsByRow
from recsvc.model.vectors import CODE_SCALE, row_codes
from recsvc.ranking import Ranking

# Up to this many items are scanned in float32: the product is cheap.
FULL_PRECISION_ITEMS = 8_192
# The scan takes the best score of each tile and looks only into the best tiles: no k-th item is in a tile whose maximum
# is below the k-th tile maximum.
TILE_ITEMS = 32
# 8 bits rank an item a few places too low, and the longer the list, the more items. So some more rows than a list has
# are found, for the caller to score in float32. No trial lost one of the best (tests/recsvc/retrieval/test_index.py).
CANDIDATES_A_PLACE, MIN_CANDIDATES = 3, 100

Mask = NDArray[np.bool_]
Codes = NDArray[np.int8]


class ItemIndex(Protocol):
    """Finds the best items for several vectors at once."""

    def search(
        self,
        user_vectors: Floats,
        k: int,
        allowed: Sequence[Mask | None] = (),
        bonuses: Sequence[Ranking] = (),
    ) -> list[Rows]:
        """Returns for each vector some rows, few times k, that contain its k best.

        An item's score is the inner product with the vector, plus its bonus.

        The rows of one vector are distinct and in no order. If fewer rows are allowed than are returned, the others
        are arbitrary.

        Args:
            user_vectors: float32 (b, d).
            k: How many of the best rows must be among those returned.
            allowed: For each vector, bool (n,), which rows may be found, or None for all; empty for all vectors.
            bonuses: For each vector, distinct rows and what is added to the score of each; empty for none.
        """
        ...

    def bytes_read(self, vector: Floats, k: int) -> int:
        """Returns how much memory a search of this one vector, float32 (d,), reads: its time is about in proportion."""
        ...

    def with_changed(self, item_vectors: VectorsByRow, rows: Rows) -> "ItemIndex":
        """Returns an index of these vectors, which differ from the current ones in `rows`; some rows may be new.

        Args:
            item_vectors: float32 (n, d), or their codes, int8 (n, d).
            rows: Ascending.
        """
        ...


class ScanIndex:
    """An index that scores every item.

    Args:
        item_vectors: float32 (n, d), or their codes, int8 (n, d), which may be mapped.
        scales: What one step of the codes of each row is worth, float32 (n,), see `recsvc.model.vectors.row_codes`;
            None for codes of `recsvc.model.vectors.encode_8_bits`. Without codes it is not used.
    """

    def __init__(self, item_vectors: Floats | Codes, scales: Floats | None = None) -> None:
        self._n, dim = item_vectors.shape
        self._bytes: int = self._n * dim * (4 if self._n <= FULL_PRECISION_ITEMS else 1)
        self._vectors: torch.Tensor | None = None
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # codes may be mapped read-only
            if self._n <= FULL_PRECISION_ITEMS:
                vectors = torch.tensor(item_vectors)
                steps = 1 / CODE_SCALE if scales is None else torch.tensor(scales)[:, None]
                self._vectors = vectors.float() * steps if vectors.dtype == torch.int8 else vectors
            elif item_vectors.dtype == np.int8:
                self._codes = torch.from_numpy(item_vectors)
                self._scales = torch.full((self._n,), 1 / CODE_SCALE) if scales is None else torch.from_numpy(scales)
            else:
                codes, scales = row_codes(np.asarray(item_vectors, np.float32))
                self._codes, self._scales = torch.from_numpy(codes), torch.from_numpy(scales)

    def bytes_read(self, vector: Floats, k: int) -> int:  # noqa: ARG002  the same for every vector
        """See `ItemIndex.bytes_read`."""
        return self._bytes

    def with_changed(self, item_vectors: VectorsByRow, rows: Rows) -> "ScanIndex":  # noqa: ARG002  all are read
        """See `ItemIndex.with_changed`."""
        return ScanIndex(item_vectors[:])

    @torch.inference_mode()
    def search(
        self,
        user_vectors: Floats,
        k: int,
        allowed: Sequence[Mask | None] = (),
        bonuses: Sequence[Ranking] = (),
    ) -> list[Rows]:
        """See `ItemIndex.search`."""
        width = candidates_for(k, self._n)
        if self._vectors is not None:
            scores = torch.from_numpy(user_vectors) @ self._vectors.T
            _add_bonuses(scores, bonuses)
            _mask_scores(scores, allowed)
            return list(np.asarray(scores.topk(width, sorted=False).indices.numpy(), np.int32))
        queries, steps = query_codes(user_vectors)
        products = torch._int_mm(self._codes, queries.T.contiguous())  # noqa: SLF001  torch has no public name
        scores = torch.full((len(queries), self._n + -self._n % TILE_ITEMS), float("-inf"))
        torch.mul(products.T, self._scales, out=scores[:, : self._n])
        scores *= torch.from_numpy(steps[:, None])
        _add_bonuses(scores, bonuses)
        _mask_scores(scores, allowed)
        return list(np.asarray(best_of_tiles(scores, width).numpy(), np.int32))


def candidates_for(k: int, n: int) -> int:
    """Returns how many of n rows are found for a list of k."""
    return min(CANDIDATES_A_PLACE * k + MIN_CANDIDATES, n)


def query_codes(vectors: Floats) -> tuple[torch.Tensor, Floats]:
    """Returns the codes of queries, int8 (b, d), and what one step of each is worth, float32 (b,).

    Each query has its own steps: beside a long one, a short one would lose its digits.
    """
    steps = np.abs(vectors).max(axis=1, initial=0) / np.float32(_largest_query_code())
    steps[steps == 0] = 1
    return torch.from_numpy(np.rint(vectors / steps[:, None]).astype(np.int8)), steps


@cache
def _largest_query_code() -> int:
    """Returns how far the codes of queries may go: 127, or 63 where the processor's 16-bit sums would overflow.

    Without dot-product instructions (VNNI) they may. 63 finds one item in thirty less.
    """
    codes, query = torch.full((64, 64), 127, dtype=torch.int8), torch.full((1, 64), 127, dtype=torch.int8)
    products = torch._int_mm(torch.cat((query, -query)), codes.T)  # noqa: SLF001  torch has no public name
    exact = 64 * 127 * 127
    return 127 if bool((products == torch.tensor([[exact], [-exact]])).all()) else 63


def best_of_tiles(scores: torch.Tensor, width: int) -> torch.Tensor:
    """Returns the places of the best scores of each row, int64 (b, width), in no order.

    Args:
        scores: float32 (b, n), with n a multiple of TILE_ITEMS.
        width: At most n.
    """
    tiles = scores.view(len(scores), -1, TILE_ITEMS)
    n_tiles = tiles.shape[1]
    best_tiles = tiles.amax(-1).topk(min(width, n_tiles), sorted=False).indices
    # Complete tiles are copied row by row, which is twice as fast as gathering their scores one by one.
    tile_rows = best_tiles + n_tiles * torch.arange(len(scores))[:, None]
    tile_scores = tiles.reshape(-1, TILE_ITEMS).index_select(0, tile_rows.view(-1)).view(len(scores), -1)
    places = tile_scores.topk(width, sorted=False).indices
    return best_tiles.gather(1, places // TILE_ITEMS) * TILE_ITEMS + places % TILE_ITEMS


def penalties(mask: Mask) -> torch.Tensor:
    """Returns what to add to the scores of n rows so that only those of a mask are found: 0 or -inf, float32 (n,).

    1 - 1/x is taken of all rows at once, as vector instructions. `masked_fill_` and `where` take five times as long.
    """
    return torch.from_numpy(mask.view(np.uint8)).float().reciprocal_().neg_().add_(1)


def _add_bonuses(scores: torch.Tensor, bonuses: Sequence[Ranking]) -> None:
    """Adds to the scores of the rows that have a bonus, in place, before the cut: they need not be near the vector."""
    for row, bonus in zip(scores, bonuses, strict=False):
        row.index_add_(0, torch.from_numpy(bonus.rows), torch.from_numpy(bonus.scores))


def _mask_scores(scores: torch.Tensor, allowed: Sequence[Mask | None]) -> None:
    """Sets the score of each row that is not allowed to -inf, in place, before the cut: no allowed row is lost."""
    for row, mask in zip(scores, allowed, strict=False):
        if mask is not None:
            row[: len(mask)] += penalties(mask)
