"""What the user tower needs to know of all item vectors, kept so that a new item costs no pass over them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.growing import GrowingMatrix
from recsvc.model.towers.blocks import Layout


@dataclass(frozen=True)
class VectorSums:
    """Sums over the vectors of n items.

    Attributes:
        item_vectors: The vectors, float32 (n, d). The sums are of this array alone.
        gram: Y'Y of the collaborative block, float64 (f, f).
        in_sequence: bool (n,), items that the sequence block can read: their vector is not zero there.
        memory: Of `in_sequence`.
    """

    item_vectors: Floats
    gram: NDArray[np.float64]
    in_sequence: NDArray[np.bool_]
    memory: GrowingMatrix[np.bool_]

    @staticmethod
    def of(item_vectors: Floats, layout: Layout) -> "VectorSums":
        """Reads all vectors."""
        in_sequence = np.any(item_vectors[:, layout.sequence], axis=1)
        return VectorSums(item_vectors, _gram(item_vectors, layout), in_sequence, GrowingMatrix(in_sequence))

    def with_rows(self, item_vectors: Floats, rows: Rows, before: Floats, layout: Layout) -> "VectorSums":
        """Returns the sums of these vectors and more at the end, some of them changed.

        Args:
            item_vectors: Of all items now, float32 (m, d).
            rows: Those that are new or changed, distinct.
            before: The vectors that the rows had, float32; zero for a new one.
            layout: The columns of the blocks.
        """
        n = len(self.in_sequence)
        in_sequence = self.memory.extended(n, len(item_vectors) - n)
        in_sequence[rows] = np.any(item_vectors[rows][:, layout.sequence], axis=1)
        gram = self.gram + _gram(item_vectors[rows], layout) - _gram(before, layout)
        return VectorSums(item_vectors, gram, in_sequence, self.memory)


def _gram(vectors: Floats, layout: Layout) -> NDArray[np.float64]:
    factors = vectors[:, layout.collaborative].astype(np.float64)
    return factors.T @ factors
