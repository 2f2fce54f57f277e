"""The bought items whose texts are nearest to those of items that nobody has bought.

A new item takes the mean of their vectors. The text tower alone cannot place it: in a small shop the tower has a
direction for nearly every bought item, and says little about texts that it has not seen.
"""

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.model.vectors import decode_8_bits

NEIGHBOURS = 8
# A neighbour counts by its cosine to this power: a near duplicate more than several items of the same kind.
SHARPNESS = 4
CHUNK_ROWS = 16_384  # texts decoded at a time: 32 MB


def mean_of_neighbours(texts: Floats, codes: NDArray[np.int8], bought: NDArray[np.intp], vectors: Floats) -> Floats:
    """The weighted mean of the vectors of the nearest bought items.

    Args:
        texts: Unit vectors of m new texts by the text encoder, float32 (m, dim).
        codes: Of all items, int8 (n, dim).
        bought: The rows of bought items.
        vectors: Of all items, float32 (n, d).

    Returns:
        float32 (m, d); zero for a text that resembles none.
    """
    rows, cosines = _nearest(texts, codes, bought)
    weights = np.maximum(cosines, 0) ** SHARPNESS
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(np.einsum("mk,mkd->md", weights, vectors[rows]), np.float32)


def _nearest(texts: Floats, codes: NDArray[np.int8], bought: NDArray[np.intp]) -> tuple[NDArray[np.intp], Floats]:
    """The rows of the nearest bought items and their cosines, both (m, NEIGHBOURS) or less, in no order."""
    rows, cosines = np.zeros((len(texts), 0), np.intp), np.zeros((len(texts), 0), np.float32)
    for start in range(0, len(bought), CHUNK_ROWS):
        part = bought[start : start + CHUNK_ROWS]
        rows = np.concatenate((rows, np.broadcast_to(part, (len(texts), len(part)))), axis=1)
        cosines = np.concatenate((cosines, texts @ decode_8_bits(codes[part]).T), axis=1)
        if rows.shape[1] > NEIGHBOURS:
            best = np.argpartition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
            rows, cosines = (np.take_along_axis(values, best, axis=1) for values in (rows, cosines))
    return rows, cosines
