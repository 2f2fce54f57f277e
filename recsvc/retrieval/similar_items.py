"""Computes the vectors by which items are compared with items, without a user."""

from dataclasses import replace

import numpy as np

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.bundle import Bundle
from recsvc.model.vectors import unit

# The smallest weight of the text block in a comparison; all weights add up to 1. A shop whose weights say that text is
# useless for users still has similar items by text.
MIN_TEXT_WEIGHT = 0.1


class SimilarityVectors:
    """The similarity vectors of all items, computed when they are read: to keep them takes as much as all item vectors.

    Args:
        bundle: Gives the item vectors.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.shape: tuple[int, ...] = bundle.item_vectors.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows | slice) -> Floats:
        """Returns the vectors of m rows, float32 (m, d)."""
        return similarity_vectors(self._bundle, self._bundle.item_vectors[rows])


def similarity_vectors(bundle: Bundle, item_vectors: Floats) -> Floats:
    """Returns the blocks of some items at the weights that rank, L2-normalised, float32 (m, d).

    The item-only blocks are 0: with them, every item would be near to the popular or the new items.

    Args:
        bundle: Gives the weights and the layout.
        item_vectors: Those of the items, float32 (m, d).
    """
    warm = bundle.model.fusion.warm
    weights = replace(warm, text=max(warm.text, MIN_TEXT_WEIGHT))
    vectors = np.zeros_like(item_vectors)
    for weight, columns in zip(weights, bundle.layout, strict=True):
        vectors[:, columns] = weight * unit(item_vectors[:, columns])
    return unit(bundle.layout.without_item_only(vectors))
