"""Which items are nearest to a user vector: an exact scan, in bfloat16, whose best are scored again in full.

Exact is right up to some hundred thousand items; above, an inverted file takes this class's place behind the same
`search` (the port is `ItemIndex`), and nothing else changes.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

# A catalogue this small is scanned in full precision faster than its scan could be narrowed.
FULL_PRECISION_ITEMS = 8_192
# The scan takes the best of each tile and looks only into the best tiles: no k-th item is in a tile whose maximum is
# below the k-th tile maximum.
TILE = 64
# bfloat16 keeps 8 bits: items this many places below the cut are scored in full as well.
MARGIN = 64


class ItemIndex(Protocol):
    def search(self, user_vectors: NDArray[np.float32], k: int) -> NDArray[np.int32]:
        """The rows (b, at least min(k, n)) nearest to each of the (b, d) user vectors by inner product, unordered."""
        ...


class ScanIndex:
    """Looks at every item. item_vectors: float32 (n, d)."""

    def __init__(self, item_vectors: NDArray[np.float32]) -> None:
        self._n, dim = item_vectors.shape
        vectors = torch.tensor(item_vectors)  # a copy: the bundle's own memory is read-only
        if self._n <= FULL_PRECISION_ITEMS:
            self._vectors = vectors
            return
        padding = -self._n % TILE
        self._vectors = torch.cat((vectors.bfloat16(), torch.zeros(padding, dim, dtype=torch.bfloat16)))

    @torch.inference_mode()
    def search(self, user_vectors: NDArray[np.float32], k: int) -> NDArray[np.int32]:
        queries = torch.from_numpy(user_vectors)
        if self._vectors.dtype == torch.float32:
            scores = queries @ self._vectors.T
            return np.asarray(scores.topk(min(k, self._n), sorted=False).indices.numpy(), np.int32)
        k = min(k + MARGIN, self._n)
        scores = queries.bfloat16() @ self._vectors.T
        scores[:, self._n :] = float("-inf")
        tiles = scores.view(len(scores), -1, TILE)
        best_tiles = tiles.amax(-1).topk(min(k, tiles.shape[1]), sorted=False).indices
        within = tiles.gather(1, best_tiles[:, :, None].expand(-1, -1, TILE)).flatten(1)
        places = within.topk(k, sorted=False).indices
        rows = best_tiles.gather(1, places // TILE) * TILE + places % TILE
        return np.asarray(rows.numpy(), np.int32)
