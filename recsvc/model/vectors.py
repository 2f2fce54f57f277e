"""Operations on vectors that every room shares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import VectorsByRow

CODE_SCALE = 127  # the code of 1.0: a component of a unit vector is stored as round(CODE_SCALE * component)
_ROWS_AT_ONCE = 8_192  # that are rounded at a time: a float32 copy of all would be as large as the vectors


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """L2-normalises each vector. A zero vector stays zero.

    Args:
        vectors: (d,) or (n, d), of any number type.

    Returns:
        float32, of the same shape.
    """
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12), np.float32)


def encode_8_bits(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """The codes of vectors of at most length 1, int8 of the same shape."""
    return np.rint(vectors * CODE_SCALE).astype(np.int8)


def decode_8_bits(codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """The unit vectors of codes, float32 of the same shape; zero codes give a zero vector."""
    return unit(codes.astype(np.float32))


def projected(vectors: NDArray[np.float32], projection: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors in the columns of a projection, float32 (n, dim); in their own columns if it is (0, 0)."""
    return unit(vectors @ projection if projection.size else vectors)


def row_codes(vectors: VectorsByRow) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Returns the codes of vectors, int8 (n, d), and what one step of each row is worth, float32 (n,)."""
    codes = np.empty(vectors.shape, np.int8)
    scales = np.empty(len(codes), np.float32)
    for start in range(0, len(codes), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        part = vectors[rows]
        scales[rows] = np.maximum(np.abs(part).max(axis=1), 1e-12) / 127
        codes[rows] = np.rint(part / scales[rows, None])
    return codes, scales
