"""Reduces the vectors of a wide text encoder to a few hundred columns: the principal components of the shop's texts.

What the catalogue's texts do not tell apart is left out. So an encoder of 896 columns costs a search as much time and
memory as one of 384, and finds as much.
"""

import numpy as np

from recsvc.domain.arrays import Floats

# With fewer items, the components would be those of single items, and queries and new items would lose their meaning.
MIN_ITEMS_PER_COLUMN = 2


def fit_projection(embeddings: Floats, dim: int) -> Floats:
    """The projection of `recsvc.model.bundle.Bundle.text_projection`.

    The mean is not subtracted, so that products of projected vectors stay near to those of the vectors themselves.

    Args:
        embeddings: Of the items' texts by the text encoder, float32 (n, w).
        dim: Columns to keep; 0 keeps the encoder's vectors as they are.

    Returns:
        float32 (w, dim) with orthonormal columns. (0, 0), which keeps the vectors as they are, if they are not wider
        than `dim`, or the items are too few.
    """
    n, width = embeddings.shape
    if not 0 < dim < width or n < MIN_ITEMS_PER_COLUMN * dim:
        return np.empty((0, 0), np.float32)
    _, components = np.linalg.eigh(embeddings.T @ embeddings)  # in ascending order of what they hold
    return np.ascontiguousarray(components[:, ::-1][:, :dim], np.float32)
