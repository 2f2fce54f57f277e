"""The estimators find what is true, where it is known, and say how sure they are."""

import numpy as np
import pytest

from recsvc.exploration import explore, propensities
from training.estimators import LoggedRewards, effective_lists, estimates

N, K, CHANCE = 8, 3, 0.3
SEEN = np.array([1.0, 0.6, 0.4])  # how likely a shopper looks at each place
WORTH = np.array([0.10, 0.05, 0.30, 0.05, 0.20, 0.02, 0.02, 0.02])  # what each candidate earns when seen
OTHER = np.array([2, 4, 0])  # the other policy knows better
TRUE_GIVEN = float((propensities(N, K, CHANCE) * WORTH[:, None] * SEEN).sum())
TRUE_OTHER = float((WORTH[OTHER] * SEEN).sum())


def simulated(lists: int, seed: int, expected: float = 0.0) -> LoggedRewards:
    """expected: how much of the truth the model of rewards knows; over 1 or under 0 it is plainly wrong."""
    rng = np.random.default_rng(seed)
    stood = np.array([explore(N, K, CHANCE, rng)[:K] for _ in range(lists)])
    rewards = (rng.random((lists, K)) < WORTH[stood] * SEEN).astype(float)
    users = np.arange(lists) // 3
    return LoggedRewards(
        users,
        np.ones((lists, K)),
        rewards,
        propensities(N, K, CHANCE)[stood, np.arange(K)],
        (stood == OTHER).astype(float),
        expected * WORTH[stood] * SEEN,
        expected * np.broadcast_to(WORTH[OTHER] * SEEN, (lists, K)),
    )


@pytest.mark.parametrize("expected", [0.0, 0.8, -1.0])
def test_the_truth_lies_in_the_interval_whatever_the_model_of_rewards_believes(expected):
    covered = {"given": 0, "snips": 0, "doubly_robust": 0}
    truth = {"given": TRUE_GIVEN, "snips": TRUE_OTHER, "doubly_robust": TRUE_OTHER}
    for seed in range(30):
        found = estimates(simulated(1_500, seed, expected))
        for name in covered:
            covered[name] += found[name]["low"] <= truth[name] <= found[name]["high"]
    # Of 30 intervals of 95 %, fewer than 24 hold the truth once in 10,000 times.
    assert min(covered.values()) >= 24, covered


def test_a_good_model_of_rewards_narrows_the_interval():
    blind, knowing = (estimates(simulated(2_000, 1, expected))["doubly_robust"] for expected in (0.0, 1.0))
    assert knowing["high"] - knowing["low"] < 0.9 * (blind["high"] - blind["low"])


def test_the_better_policy_is_found_better():
    assert estimates(simulated(4_000, 2, 0.5))["difference"]["low"] > 0


def test_lists_that_show_nothing_of_a_policy_tell_nothing():
    logged = simulated(50, 3)
    never = LoggedRewards(
        logged.users, logged.there, logged.rewards, logged.propensities, np.zeros((50, K)), logged.expected,
        logged.expected_other,
    )  # fmt: skip
    assert estimates(never)["snips"] == {"mean": None, "low": None, "high": None}
    assert effective_lists(never) == 0


def test_a_list_made_on_purpose_tells_all():
    ones = np.ones((40, 1))
    logged = LoggedRewards(np.arange(40), ones, ones, ones, ones, 0 * ones, 0 * ones)
    assert effective_lists(logged) == 40
    assert estimates(logged)["snips"] == {"mean": 1, "low": 1, "high": 1}
