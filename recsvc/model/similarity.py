"""Computes the vectors by which items are compared with items, without a user."""

from dataclasses import replace

import numpy as np

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.towers.blocks import FusionWeights, Layout
from recsvc.model.vectors import unit

# The smallest weight of the text block in a comparison; all weights add up to 1. A shop whose weights say that text is
# useless for users still has similar items by text.
MIN_TEXT_WEIGHT = 0.1


class SimilarityVectors:
    """The similarity vectors of all items, computed when they are read: to keep them takes as much as all item vectors.

    Args:
        item_vectors: float32 (n, d).
        layout: The columns of the blocks.
        fusion: The weights of the blocks.
    """

    def __init__(self, item_vectors: Floats, layout: Layout, fusion: FusionWeights) -> None:
        self._item_vectors, self._layout, self._fusion = item_vectors, layout, fusion
        self.shape: tuple[int, ...] = item_vectors.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows | slice) -> Floats:
        """Returns the vectors of m rows, float32 (m, d)."""
        return similarity_vectors(self._item_vectors[rows], self._layout, self._fusion)


def similarity_vectors(item_vectors: Floats, layout: Layout, fusion: FusionWeights) -> Floats:
    """Returns the blocks of some items at the weights that rank, L2-normalised, float32 (m, d).

    The item-only blocks are 0: with them, every item would be near to the popular or the new items.

    Args:
        item_vectors: Those of the items, float32 (m, d).
        layout: The columns of the blocks.
        fusion: The weights of the blocks.
    """
    weights = replace(fusion.warm, text=max(fusion.warm.text, MIN_TEXT_WEIGHT))
    vectors = np.zeros_like(item_vectors)
    for weight, columns in zip(weights, layout, strict=True):
        vectors[:, columns] = weight * unit(item_vectors[:, columns])
    return unit(layout.without_item_only(vectors))
