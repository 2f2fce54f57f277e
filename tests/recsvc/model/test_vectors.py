"""A growing matrix keeps its rows, and may be extended again from the same row."""

import numpy as np
import pytest

from recsvc.model import vectors
from recsvc.model.vectors import GrowingMatrix


def test_extended_keeps_old_rows_and_adds_zero_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SPARE_ROWS", 3)
    first = np.arange(8, dtype=np.float32).reshape(4, 2)
    growing = GrowingMatrix(first)
    grown = growing.extended(4, 2)
    np.testing.assert_array_equal(grown, [*first, [0, 0], [0, 0]])
    grown[4:] = 7  # as a caller that then failed
    np.testing.assert_array_equal(growing.extended(4, 1), [*first, [0, 0]])
    copied = growing.extended(5, 9)
    np.testing.assert_array_equal(copied, [*first, *np.zeros((10, 2))])
    assert not np.shares_memory(copied, grown)
    np.testing.assert_array_equal(growing.extended(14, 0), copied)
