"""Finds the best items for a user vector: scans every item in 8 bits. The caller scores the best again in float32.

The port is `ItemIndex`. `recsvc.retrieval.shortened_scan` has another index behind it, for bundles whose training has
measured that it finds the same items.
"""

import warnings
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.vectors import CODE_SCALE
from recsvc.ranking import Ranking

# Up to this many items are scanned in float32: the product is cheap.
FULL_PRECISION_ITEMS = 8_192
# The scan takes the best score of each tile and looks only into the best tiles: no k-th item is in a tile whose maximum
# is below the k-th tile maximum.
TILE_ITEMS = 32
# 8 bits rank an item a few places too low, and the longer the list, the more items. So 2k + MARGIN_ITEMS rows are
# returned for the caller to score in float32. No trial lost one of the best (tests/recsvc/retrieval/test_index.py).
MARGIN_ITEMS = 32

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


class ScanIndex:
    """An index that scores every item.

    Args:
        item_vectors: float32 (n, d), or their codes, int8 (n, d), see `recsvc.model.vectors.encode_8_bits`.
    """

    def __init__(self, item_vectors: Floats | Codes) -> None:
        self._n, dim = item_vectors.shape
        vectors = torch.tensor(item_vectors)  # a copy: the bundle's own memory is read-only
        self._bytes: int = self._n * dim * (4 if self._n <= FULL_PRECISION_ITEMS else 1)
        self._vectors: torch.Tensor | None = None
        if self._n <= FULL_PRECISION_ITEMS:
            self._vectors = vectors.float() / CODE_SCALE if vectors.dtype == torch.int8 else vectors
        else:
            self._packed = _pack(torch.cat((vectors, torch.zeros(-self._n % TILE_ITEMS, dim, dtype=vectors.dtype))))

    def bytes_read(self, vector: Floats, k: int) -> int:  # noqa: ARG002  the same for every vector
        """See `ItemIndex.bytes_read`."""
        return self._bytes

    @torch.inference_mode()
    def search(
        self,
        user_vectors: Floats,
        k: int,
        allowed: Sequence[Mask | None] = (),
        bonuses: Sequence[Ranking] = (),
    ) -> list[Rows]:
        """See `ItemIndex.search`."""
        queries, width = torch.from_numpy(user_vectors), min(2 * k + MARGIN_ITEMS, self._n)
        if self._vectors is not None:
            scores = queries @ self._vectors.T
            _add_bonuses(scores, bonuses)
            _mask_scores(scores, allowed)
            return list(np.asarray(scores.topk(width, sorted=False).indices.numpy(), np.int32))
        # Queries in 7 bits: with 8 on both sides, processors without VNNI may saturate their 16-bit sums.
        scores = torch.ops.quantized.linear_dynamic(queries, self._packed, True)  # noqa: FBT003  torch takes no keyword
        scores[:, self._n :] = float("-inf")
        _add_bonuses(scores, bonuses)
        _mask_scores(scores, allowed)
        return list(np.asarray(best_of_tiles(scores, width).numpy(), np.int32))


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


def _pack(vectors: torch.Tensor) -> torch.ScriptObject:
    """Returns vectors or codes in 8 bits, laid out for the processor's dot-product instructions.

    torch plans to remove these operators. `torch._int_mm` does the same without the packed layout and takes half as
    long again for a batch of eight; until then the pinned torch has both.
    """
    zero_points = torch.zeros(len(vectors), dtype=torch.long)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        if vectors.dtype == torch.int8:
            scales = torch.full((len(vectors),), 1 / CODE_SCALE, dtype=torch.double)
            rows = torch._make_per_channel_quantized_tensor(vectors, scales, zero_points, 0)  # noqa: SLF001  no public name
        else:
            scales = (vectors.abs().amax(dim=1) / 127).clamp(min=1e-8).double()
            rows = torch.quantize_per_channel(vectors, scales, zero_points, 0, torch.qint8)
    packed: torch.ScriptObject = torch.ops.quantized.linear_prepack(rows, None)
    return packed
