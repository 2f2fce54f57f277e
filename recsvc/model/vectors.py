"""What is done to vectors on every floor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Rows that a growing matrix can take before it has to be copied.
SPARE_ROWS = 8_192


class GrowingMatrix:
    """A matrix that takes more rows without being copied for each: 100,000 vectors are 100 MB. For one thread.

    matrix: float32 (n, d); it is copied once.
    """

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        self._buffer = _with_room(matrix, SPARE_ROWS)

    def extended(self, n: int, more: int) -> NDArray[np.float32]:
        """The first n rows, with so many at the end that are zero. Unless the room ran out in between, it is the memory
        of what was given before; so only whoever has the most rows may ask for more, but may ask again.
        """
        if n + more > len(self._buffer):
            self._buffer = _with_room(self._buffer[:n], more + SPARE_ROWS)
        self._buffer[n : n + more] = 0.0
        return self._buffer[: n + more]


def _with_room(matrix: NDArray[np.float32], more: int) -> NDArray[np.float32]:
    buffer = np.zeros((len(matrix) + more, matrix.shape[1]), np.float32)
    buffer[: len(matrix)] = matrix
    return buffer


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Each row, or the one vector, L2-normalised, as float32; zero stays zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12), np.float32)
