"""A growing matrix keeps its rows, and may be extended again from the same row."""

import numpy as np
import pytest

from recsvc.model import vectors
from recsvc.model.vectors import GrowingMatrix, decode_8_bits, encode_8_bits, unit


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


def test_a_growing_matrix_keeps_its_number_type() -> None:
    grown = GrowingMatrix(np.ones((2, 3), np.int8)).extended(2, 1)
    assert grown.dtype == np.int8
    np.testing.assert_array_equal(grown, [[1, 1, 1], [1, 1, 1], [0, 0, 0]])


def test_unit_vectors_pass_through_8_bits_and_zero_stays_zero() -> None:
    vectors = unit(np.random.default_rng(0).standard_normal((20, 64)))
    vectors[3] = 0
    codes = encode_8_bits(vectors)
    assert codes.dtype == np.int8
    np.testing.assert_allclose(decode_8_bits(codes), vectors, atol=0.01)
    assert not decode_8_bits(codes)[3].any()
