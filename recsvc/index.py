"""Which items are nearest to a user vector: a scan of every item in 8 bits, whose best are scored again in full.

Exact is right up to some hundred thousand items; above, an inverted file takes this class's place behind the same
`search` (the port is `ItemIndex`), and nothing else changes.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

# A catalogue this small is scanned in full precision: the product is cheap.
FULL_PRECISION_ITEMS = 8_192
# The scan takes the best of each tile and looks only into the best tiles: no k-th item is in a tile whose maximum is
# below the k-th tile maximum.
TILE = 32
# Rows as wide as a multiple of this suit the processor's dot-product instructions.
ALIGNED = 16
# 8 bits put items a few places too low, the more of them the longer the list: k and so many more are kept below the cut
# for the caller to score in full. None of the best was lost in any trial (tests/recsvc/test_index.py).
MARGIN = 32


class ItemIndex(Protocol):
    def search(self, user_vectors: NDArray[np.float32], k: int) -> NDArray[np.int32]:
        """The rows (b, min(2k + MARGIN, n)) among which are the k nearest to each of the (b, d) user vectors by inner
        product, unordered and without doubles.
        """
        ...


class ScanIndex:
    """Looks at every item. item_vectors: float32 (n, d)."""

    def __init__(self, item_vectors: NDArray[np.float32]) -> None:
        self._n, dim = item_vectors.shape
        vectors = torch.tensor(item_vectors)  # a copy: the bundle's own memory is read-only
        self._exact = self._n <= FULL_PRECISION_ITEMS
        if self._exact:
            self._vectors, self._scales = vectors, torch.ones(self._n)
            return
        padded = torch.zeros(self._n + -self._n % TILE, dim + -dim % ALIGNED)
        padded[: self._n, :dim] = vectors
        self._vectors, self._scales = _in_8_bits(padded, 127)

    @torch.inference_mode()
    def search(self, user_vectors: NDArray[np.float32], k: int) -> NDArray[np.int32]:
        queries, k = torch.from_numpy(user_vectors), min(2 * k + MARGIN, self._n)
        if self._exact:
            scores = queries @ self._vectors.T
            return np.asarray(scores.topk(k, sorted=False).indices.numpy(), np.int32)
        # 7 bits here: with 8 on both sides, processors without VNNI may saturate their 16-bit sums. The query's own
        # scale is left out of the scores, since it changes no order.
        narrowed, _ = _in_8_bits(torch.nn.functional.pad(queries, (0, self._vectors.shape[1] - queries.shape[1])), 63)
        scores = torch._int_mm(narrowed, self._vectors.T).float().mul_(self._scales)
        scores[:, self._n :] = float("-inf")
        tiles = scores.view(len(scores), -1, TILE)
        n_tiles = tiles.shape[1]
        best_tiles = tiles.amax(-1).topk(min(k, n_tiles), sorted=False).indices
        # Whole tiles are copied row by row, which is twice as fast as gathering their scores one by one.
        places = best_tiles + n_tiles * torch.arange(len(scores))[:, None]
        within = tiles.reshape(-1, TILE).index_select(0, places.view(-1)).view(len(scores), -1)
        found = within.topk(k, sorted=False).indices
        rows = best_tiles.gather(1, found // TILE) * TILE + found % TILE
        return np.asarray(rows.numpy(), np.int32)


def _in_8_bits(rows: torch.Tensor, largest: int) -> tuple[torch.Tensor, torch.Tensor]:
    """int8 (n, d) with values up to `largest`, and the float32 (n,) scale of each row that undoes it."""
    scales = (rows.abs().amax(dim=1) / largest).clamp(min=1e-12)
    return (rows / scales[:, None]).round_().to(torch.int8), scales
