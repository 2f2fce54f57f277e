"""Array types that every room shares, empty arrays, and units of time."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]
"""Item rows: indices into the arrays of one bundle, which have one row for each item."""

Floats = NDArray[np.float32]
"""Scores or vectors."""


class VectorsByRow(Protocol):
    """Vectors of n items that are read by their rows: an array, or what computes them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, d)."""
        ...

    def __getitem__(self, rows: Any, /) -> Any:  # noqa: ANN401  as numpy has it
        """Returns the vectors of m rows, float32 (m, d)."""
        ...


NO_ROW = -1
"""In the place of a row where there is none."""

NO_ROWS: Rows = np.empty(0, np.int32)
NO_SCORES: Floats = np.empty(0, np.float32)

MICROSECONDS_A_DAY = 86_400_000_000
MICROSECONDS_AN_HOUR = MICROSECONDS_A_DAY // 24
