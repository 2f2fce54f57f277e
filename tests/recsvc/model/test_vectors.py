"""A matrix that grows keeps what it has, and may be asked again."""

import numpy as np
import pytest

from recsvc.model import vectors
from recsvc.model.vectors import GrowingMatrix


def test_rows_are_kept_and_new_ones_are_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SPARE_ROWS", 3)
    first = np.arange(8, dtype=np.float32).reshape(4, 2)
    growing = GrowingMatrix(first)
    grown = growing.extended(4, 2)
    np.testing.assert_array_equal(grown, [*first, [0, 0], [0, 0]])
    grown[4:] = 7  # by somebody who then failed
    np.testing.assert_array_equal(growing.extended(4, 1), [*first, [0, 0]])
    beyond_the_room = growing.extended(5, 9)
    np.testing.assert_array_equal(beyond_the_room, [*first, *np.zeros((10, 2))])
    assert not np.shares_memory(beyond_the_room, grown)
    np.testing.assert_array_equal(growing.extended(14, 0), beyond_the_room)
