"""What items are compared by when no user is asked about."""

from dataclasses import replace

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.model.towers.user import ITEM_ONLY_BLOCKS
from recsvc.model.vectors import unit

# What text counts at least among the blocks by which items are compared; all weights add up to 1.
LEAST_TEXT = 0.1


def similarity_vectors(bundle: Bundle, item_vectors: Floats) -> Floats:
    """Some items' blocks at the weights that rank, L2-normalised. item_vectors: (m, d), theirs, as is what is returned.

    Without what is said of an item alone, or all would be near to what is popular or new.
    """
    weights, layout = bundle.model.fusion.warm, bundle.layout
    # A shop whose weights say that text is useless for users still has neighbours by it.
    weights = replace(weights, text=max(weights.text, LEAST_TEXT), **dict.fromkeys(ITEM_ONLY_BLOCKS, 0.0))
    vectors = np.zeros_like(item_vectors)
    for weight, columns in zip(weights, layout, strict=True):
        vectors[:, columns] = weight * unit(item_vectors[:, columns])
    return unit(vectors)
