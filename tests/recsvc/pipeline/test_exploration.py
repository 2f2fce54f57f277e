"""Exploration: the probability of each candidate at each place is known exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.pipeline.exploration import explore, propensities


@given(st.integers(0, 30), st.integers(0, 40), st.floats(0, 1), st.integers(0, 2**32))
def test_explore_returns_each_candidate_once(n, k, probability, seed):
    assert sorted(explore(n, k, probability, np.random.default_rng(seed))) == list(range(n))


@pytest.mark.parametrize(("n", "k", "probability"), [(9, 4, 0.3), (4, 4, 0.5), (3, 7, 0.2), (2, 1, 0.5), (1, 1, 0.5)])
def test_propensities_equal_observed_frequencies(n, k, probability):
    rng, draws = np.random.default_rng(0), 40_000
    seen = np.zeros((n, min(k, n)))
    for _ in range(draws):
        seen[explore(n, k, probability, rng)[:k], np.arange(min(k, n))] += 1
    expected = propensities(n, k, probability)
    assert expected.shape == seen.shape
    np.testing.assert_allclose(expected.sum(axis=0), 1)
    # Five standard deviations of a count.
    np.testing.assert_allclose(seen / draws, expected, atol=5 * 0.5 / np.sqrt(draws))
    if n > 1:
        assert expected.min() > 0  # so the lists can estimate any order


def test_probability_zero_keeps_the_order():
    np.testing.assert_array_equal(explore(5, 3, 0.0, np.random.default_rng(0)), np.arange(5))
    np.testing.assert_array_equal(propensities(5, 3, 0.0), np.eye(5)[:, :3])
