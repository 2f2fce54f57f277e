"""A list that explores: how likely each item stood at each place is known exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.pipeline.exploration import explore, propensities


@given(st.integers(0, 30), st.integers(0, 40), st.floats(0, 1), st.integers(0, 2**32))
def test_every_candidate_stands_somewhere_once(n, k, chance, seed):
    assert sorted(explore(n, k, chance, np.random.default_rng(seed))) == list(range(n))


@pytest.mark.parametrize(("n", "k", "chance"), [(9, 4, 0.3), (4, 4, 0.5), (3, 7, 0.2), (2, 1, 0.5), (1, 1, 0.5)])
def test_the_propensities_are_how_often_it_happens(n, k, chance):
    rng, draws = np.random.default_rng(0), 40_000
    seen = np.zeros((n, min(k, n)))
    for _ in range(draws):
        seen[explore(n, k, chance, rng)[:k], np.arange(min(k, n))] += 1
    likely = propensities(n, k, chance)
    assert likely.shape == seen.shape
    np.testing.assert_allclose(likely.sum(axis=0), 1)
    # Five deviations of a count.
    np.testing.assert_allclose(seen / draws, likely, atol=5 * 0.5 / np.sqrt(draws))
    if n > 1:
        assert likely.min() > 0  # so no order is beyond what the lists can tell


def test_without_chance_the_order_stays():
    np.testing.assert_array_equal(explore(5, 3, 0.0, np.random.default_rng(0)), np.arange(5))
    np.testing.assert_array_equal(propensities(5, 3, 0.0), np.eye(5)[:, :3])
