"""The bought items whose texts are nearest to those of items that nobody has bought.

A new item takes the mean of their vectors. The text tower alone cannot place it: in a small shop the tower has a
direction for nearly every bought item, and says little about texts that it has not seen.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.model.vectors import CODE_SCALE

NEIGHBOURS = 8
# A neighbour counts by its cosine to this power: a near duplicate more than several items of the same kind.
SHARPNESS = 4
# Codes that are made floats at a time: few, so that they stay in the processor's cache. With all of 42,000 at once, the
# neighbours of one text took 30 ms instead of 8.
CHUNK_ROWS = 1_024
_TEXTS_AT_ONCE = 1_024  # each takes 12 bytes for each bought item of a chunk while it is compared


def mean_of_neighbours(rows: NDArray[np.intp], cosines: Floats, vectors: Floats) -> Floats:
    """The weighted mean of the vectors of the nearest bought items of m texts.

    Args:
        rows: From `nearest_bought`, (m, k).
        cosines: From `nearest_bought`, (m, k).
        vectors: Of all items, float32 (n, d).

    Returns:
        float32 (m, d); zero for a text that resembles none.
    """
    weights = np.maximum(cosines, 0) ** SHARPNESS
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    means = np.empty((len(rows), vectors.shape[1]), np.float32)
    for start in range(0, len(rows), _TEXTS_AT_ONCE):
        part = slice(start, start + _TEXTS_AT_ONCE)
        means[part] = np.einsum("mk,mkd->md", weights[part], vectors[rows[part]])
    return means


def nearest_bought(texts: Floats, codes: NDArray[np.int8], bought: NDArray[np.intp]) -> tuple[NDArray[np.intp], Floats]:
    """The bought items whose texts are nearest to m new texts.

    Args:
        texts: Unit vectors by the text encoder, float32 (m, dim).
        codes: Of all items, int8 (n, dim).
        bought: The rows of bought items, at least one.

    Returns:
        Their rows and their cosines, (m, NEIGHBOURS) each, in no order; fewer columns if fewer items were bought.
    """
    parts = [texts[start : start + _TEXTS_AT_ONCE] for start in range(0, len(texts), _TEXTS_AT_ONCE)] or [texts]
    nearest = [_nearest_of_part(part, codes, bought) for part in parts]
    return np.concatenate([rows for rows, _ in nearest]), np.concatenate([cosines for _, cosines in nearest])


def _nearest_of_part(
    texts: Floats, codes: NDArray[np.int8], bought: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Floats]:
    rows, cosines, scaled = [], [], texts / np.float32(CODE_SCALE)
    floats = np.empty((min(CHUNK_ROWS, len(bought)), codes.shape[1]), np.float32)
    for start in range(0, len(bought), CHUNK_ROWS):
        part = bought[start : start + CHUNK_ROWS]
        floats[: len(part)] = codes[part]
        of_part = np.asarray(scaled @ floats[: len(part)].T, np.float32)
        best = _best(of_part)
        rows.append(part[best])
        cosines.append(np.take_along_axis(of_part, best, axis=1))
    all_rows, all_cosines = np.concatenate(rows, axis=1), np.concatenate(cosines, axis=1)
    best = _best(all_cosines)
    return np.take_along_axis(all_rows, best, axis=1), np.take_along_axis(all_cosines, best, axis=1)


def _best(cosines: Floats) -> NDArray[np.intp]:
    """The places of the NEIGHBOURS highest of each row, in no order."""
    k = min(NEIGHBOURS, cosines.shape[1])
    # numpy's argpartition takes eight times as long.
    return torch.from_numpy(cosines).topk(k, sorted=False).indices.numpy()
