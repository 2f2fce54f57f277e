"""Which items are nearest to a user vector: a scan of every item in 8 bits, whose best are scored again in full.

Exact is right up to some hundred thousand items; above, an inverted file takes this class's place behind the same
`search` (the port is `ItemIndex`), and nothing else changes.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

# A catalogue this small is scanned in full precision: the product is cheap.
FULL_PRECISION_ITEMS = 8_192
# The scan takes the best of each tile and looks only into the best tiles: no k-th item is in a tile whose maximum is
# below the k-th tile maximum.
TILE = 32
# 8 bits put items a few places too low, the more of them the longer the list: k and so many more are kept below the cut
# for the caller to score in full. None of the best was lost in any trial (tests/recsvc/test_index.py).
MARGIN = 32


class ItemIndex(Protocol):
    def search(
        self, user_vectors: NDArray[np.float32], k: int, allowed: Sequence[NDArray[np.bool_] | None] = ()
    ) -> NDArray[np.int32]:
        """The rows (b, min(2k + MARGIN, n)) among which are the k nearest to each of the (b, d) user vectors by inner
        product, unordered and without doubles.

        allowed: for each vector bool (n,), which rows are wanted, or None for all; empty for all. Where fewer rows are
        wanted than are returned, the others are any.
        """
        ...


class ScanIndex:
    """Looks at every item. item_vectors: float32 (n, d)."""

    def __init__(self, item_vectors: NDArray[np.float32]) -> None:
        self._n, dim = item_vectors.shape
        vectors = torch.tensor(item_vectors)  # a copy: the bundle's own memory is read-only
        self._vectors = vectors if self._n <= FULL_PRECISION_ITEMS else None
        if self._vectors is None:
            self._packed = _packed(torch.cat((vectors, torch.zeros(-self._n % TILE, dim))))

    @torch.inference_mode()
    def search(
        self, user_vectors: NDArray[np.float32], k: int, allowed: Sequence[NDArray[np.bool_] | None] = ()
    ) -> NDArray[np.int32]:
        queries, k = torch.from_numpy(user_vectors), min(2 * k + MARGIN, self._n)
        if self._vectors is not None:
            scores = queries @ self._vectors.T
            _put_out_of_reach(scores, allowed)
            return np.asarray(scores.topk(k, sorted=False).indices.numpy(), np.int32)
        # Queries in 7 bits: with 8 on both sides, processors without VNNI may saturate their 16-bit sums.
        scores = torch.ops.quantized.linear_dynamic(queries, self._packed, True)
        scores[:, self._n :] = float("-inf")
        _put_out_of_reach(scores, allowed)
        tiles = scores.view(len(scores), -1, TILE)
        n_tiles = tiles.shape[1]
        best_tiles = tiles.amax(-1).topk(min(k, n_tiles), sorted=False).indices
        # Whole tiles are copied row by row, which is twice as fast as gathering their scores one by one.
        places = best_tiles + n_tiles * torch.arange(len(scores))[:, None]
        within = tiles.reshape(-1, TILE).index_select(0, places.view(-1)).view(len(scores), -1)
        found = within.topk(k, sorted=False).indices
        rows = best_tiles.gather(1, found // TILE) * TILE + found % TILE
        return np.asarray(rows.numpy(), np.int32)


def _put_out_of_reach(scores: torch.Tensor, allowed: Sequence[NDArray[np.bool_] | None]) -> None:
    """Of each row of scores what is not allowed, in place, before the cut: nothing that is wanted is cut off."""
    for row, wanted in zip(scores, allowed, strict=False):
        if wanted is not None:
            row[: len(wanted)].masked_fill_(torch.from_numpy(~wanted), float("-inf"))


def _packed(vectors: torch.Tensor) -> Any:
    """The vectors in 8 bits, each with a scale of its own, laid out for the processor's dot-product instructions.

    torch means to drop these operators one day. `torch._int_mm` does the same unpacked and takes half as long again
    for a batch of eight; until then the pinned torch has both.
    """
    scales = (vectors.abs().amax(dim=1) / 127).clamp(min=1e-8).double()
    zero_points = torch.zeros(len(vectors), dtype=torch.long)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        rows = torch.quantize_per_channel(vectors, scales, zero_points, 0, torch.qint8)
    return torch.ops.quantized.linear_prepack(rows, None)
