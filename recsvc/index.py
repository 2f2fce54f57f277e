"""Which items are nearest to a user vector: a scan of every item in 8 bits, whose best are scored again in full.

Exact is right up to some hundred thousand items; above, an inverted file takes this class's place behind the same
`search` (the port is `ItemIndex`), and nothing else changes.
"""

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

# A catalogue this small is scanned in full precision: the product is cheap, and its best need no margin.
FULL_PRECISION_ITEMS = 8_192
# The scan takes the best of each tile and looks only into the best tiles: no k-th item is in a tile whose maximum is
# below the k-th tile maximum.
TILE = 64
# 8 bits put items a few places too low: so many below the cut are kept for the caller to score in full. With 128 no
# item of the best 100 was lost in any trial (tests/recsvc/test_ranking.py).
MARGIN = 128


class ItemIndex(Protocol):
    def search(self, user_vectors: NDArray[np.float32], k: int) -> NDArray[np.int32]:
        """The rows (b, at least min(k, n)) nearest to each of the (b, d) user vectors by inner product, unordered."""
        ...


class ScanIndex:
    """Looks at every item. item_vectors: float32 (n, d)."""

    def __init__(self, item_vectors: NDArray[np.float32]) -> None:
        self._n, dim = item_vectors.shape
        vectors = torch.tensor(item_vectors)  # a copy: the bundle's own memory is read-only
        self._vectors: torch.Tensor | None = vectors if self._n <= FULL_PRECISION_ITEMS else None
        if self._vectors is None:
            self._padding = -self._n % TILE
            self._packed = _packed(torch.cat((vectors, torch.zeros(self._padding, dim))))

    @torch.inference_mode()
    def search(self, user_vectors: NDArray[np.float32], k: int) -> NDArray[np.int32]:
        queries = torch.from_numpy(user_vectors)
        if self._vectors is not None:
            scores = queries @ self._vectors.T
            return np.asarray(scores.topk(min(k, self._n), sorted=False).indices.numpy(), np.int32)
        k = min(k + MARGIN, self._n)
        # Activations in 7 bits: with 8, processors without VNNI may saturate their 16-bit sums.
        scores = torch.ops.quantized.linear_dynamic(queries, self._packed, True)
        scores[:, self._n :] = float("-inf")
        tiles = scores.view(len(scores), -1, TILE)
        best_tiles = tiles.amax(-1).topk(min(k, tiles.shape[1]), sorted=False).indices
        within = tiles.gather(1, best_tiles[:, :, None].expand(-1, -1, TILE)).flatten(1)
        places = within.topk(k, sorted=False).indices
        rows = best_tiles.gather(1, places // TILE) * TILE + places % TILE
        return np.asarray(rows.numpy(), np.int32)


def _packed(vectors: torch.Tensor) -> Any:
    """The vectors in 8 bits, each with a scale of its own, laid out for the processor's dot-product instructions."""
    scales = (vectors.abs().amax(dim=1) / 127).clamp(min=1e-8).double()
    zero_points = torch.zeros(len(vectors), dtype=torch.long)
    rows = torch.quantize_per_channel(vectors, scales, zero_points, 0, torch.qint8)
    return torch.ops.quantized.linear_prepack(rows, None)
