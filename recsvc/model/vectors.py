"""Operations on vectors that every room shares."""

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

SPARE_ROWS = 8_192  # that a growing matrix can add before it is copied
CODE_SCALE = 127  # the code of 1.0: a component of a unit vector is stored as round(CODE_SCALE * component)

Number = TypeVar("Number", bound=np.number[Any])


class GrowingMatrix(Generic[Number]):
    """A matrix to which rows are added without a copy for each: 100,000 vectors are 100 MB. For one thread.

    Args:
        matrix: (n, d), of any number type; it is copied once.
    """

    def __init__(self, matrix: NDArray[Number]) -> None:
        self._buffer = _with_room(matrix, SPARE_ROWS)

    def extended(self, n: int, more: int) -> NDArray[Number]:
        """The first `n` rows, with `more` rows of zeros at the end, (n + more, d).

        The result shares memory with earlier results, unless the spare rows were used up. So only the owner of the
        longest result may extend it; to extend it again from the same `n` is allowed.
        """
        if n + more > len(self._buffer):
            self._buffer = _with_room(self._buffer[:n], more + SPARE_ROWS)
        self._buffer[n : n + more] = 0
        return self._buffer[: n + more]


def _with_room(matrix: NDArray[Number], more: int) -> NDArray[Number]:
    buffer = np.zeros((len(matrix) + more, matrix.shape[1]), matrix.dtype)
    buffer[: len(matrix)] = matrix
    return buffer


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
