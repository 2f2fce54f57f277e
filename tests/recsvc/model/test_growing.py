"""A growing matrix keeps its rows, and may be extended again from the same row."""

import numpy as np
import pytest

from recsvc.model import growing
from recsvc.model.growing import RECENT_VALUES, GrowingMapping, GrowingMatrix


def test_extended_keeps_old_rows_and_adds_zero_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "SPARE_ROWS", 3)
    first = np.arange(8, dtype=np.float32).reshape(4, 2)
    matrix = GrowingMatrix(first)
    grown = matrix.extended(4, 2)
    np.testing.assert_array_equal(grown, [*first, [0, 0], [0, 0]])
    grown[4:] = 7  # as a caller that then failed
    np.testing.assert_array_equal(matrix.extended(4, 1), [*first, [0, 0]])
    copied = matrix.extended(5, 9)
    np.testing.assert_array_equal(copied, [*first, *np.zeros((10, 2))])
    assert not np.shares_memory(copied, grown)
    np.testing.assert_array_equal(matrix.extended(14, 0), copied)


def test_a_growing_matrix_keeps_its_number_type() -> None:
    grown = GrowingMatrix(np.ones((2, 3), np.int8)).extended(2, 1)
    assert grown.dtype == np.int8
    np.testing.assert_array_equal(grown, [[1, 1, 1], [1, 1, 1], [0, 0, 0]])


def test_a_matrix_holds_its_own_rows_alone() -> None:
    array = np.ones((2, 3), np.float32)
    matrix = GrowingMatrix(array)
    grown = matrix.extended(2, 1, fill=7)
    assert (grown[-1] == 7).all()
    assert matrix.holds(grown)
    assert not matrix.holds(array)
    assert not matrix.holds(grown[1:])
    assert not matrix.holds(grown.view(np.int32))


def test_a_mapping_keeps_its_values_when_a_copy_has_more() -> None:
    versions = [GrowingMapping({0: "a"})]
    for n in range(1, 2 * RECENT_VALUES + 5):
        versions.append(versions[-1].with_values({n: str(n), 0: f"a{n}"}))
    for n, mapping in enumerate(versions):
        assert sorted(mapping) == list(range(n + 1))
        assert len(mapping) == n + 1
        assert mapping[0] == mapping.get(0) == (f"a{n}" if n else "a")
        assert n in mapping
        assert n + 1 not in mapping
        assert mapping.get(n + 1, "none") == "none"
    assert not GrowingMapping()
