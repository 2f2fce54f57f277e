"""Vectors keep their direction in 8 bits."""

import numpy as np

from recsvc.model.vectors import decode_8_bits, encode_8_bits, unit


def test_unit_vectors_pass_through_8_bits_and_zero_stays_zero() -> None:
    vectors = unit(np.random.default_rng(0).standard_normal((20, 64)))
    vectors[3] = 0
    codes = encode_8_bits(vectors)
    assert codes.dtype == np.int8
    np.testing.assert_allclose(decode_8_bits(codes), vectors, atol=0.01)
    assert not decode_8_bits(codes)[3].any()
