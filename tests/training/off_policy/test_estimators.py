"""The estimators find the truth of a simulated shop, and their intervals are honest."""

import numpy as np
import pytest

from recsvc.pipeline.exploration import explore, propensities
from training.off_policy.estimators import LoggedRewards, Policy, effective_lists, estimates

N, K, CHANCE = 8, 3, 0.3
SEEN = np.array([1.0, 0.6, 0.4])  # how likely a shopper looks at each place
WORTH = np.array([0.10, 0.05, 0.30, 0.05, 0.20, 0.02, 0.02, 0.02])  # what each candidate earns when seen
OTHER = np.array([2, 4, 0])  # the other policy knows better
TRUE_OWN = float((WORTH[:K] * SEEN).sum())
TRUE_OTHER = float((WORTH[OTHER] * SEEN).sum())


def simulated(lists: int, seed: int, known: float = 0.0) -> tuple[LoggedRewards, Policy, Policy]:
    """Lists that explored; the other policy; and the candidates' own order.

    known: how much of the truth the model of rewards knows; below 0 it is plainly wrong.
    """
    rng = np.random.default_rng(seed)
    shown = np.array([explore(N, K, CHANCE, rng)[:K] for _ in range(lists)])
    rewards = (rng.random((lists, K)) < WORTH[shown] * SEEN).astype(float)
    likely = propensities(N, K, CHANCE)[shown, np.arange(K)]
    logged = LoggedRewards(
        users=np.arange(lists) // 3,
        present=np.ones((lists, K)),
        rewards=rewards,
        propensities=likely,
        expected=known * WORTH[shown] * SEEN,
    )
    other, own = (
        Policy(
            matches=(shown == order).astype(float),
            expected=known * np.broadcast_to(WORTH[order] * SEEN, (lists, K)),
        )
        for order in (OTHER, np.arange(K))
    )
    return logged, other, own


@pytest.mark.parametrize("known", [0.0, 0.8, -1.0])
def test_the_interval_holds_the_truth_with_any_model_of_rewards(known):
    truth = {
        "snips": TRUE_OTHER,
        "doubly_robust": TRUE_OTHER,
        "reference": TRUE_OWN,
        "difference": TRUE_OTHER - TRUE_OWN,
    }
    covered = dict.fromkeys(truth, 0)
    for seed in range(30):
        values = estimates(*simulated(1_500, seed, known))
        for name in covered:
            covered[name] += values[name]["low"] <= truth[name] <= values[name]["high"]
    # Of 30 intervals of 95 %, fewer than 24 hold the truth once in 10,000 times.
    assert min(covered.values()) >= 24, covered


def test_a_good_model_of_rewards_narrows_the_interval():
    blind, knowing = (estimates(*simulated(2_000, 1, known))["doubly_robust"] for known in (0.0, 1.0))
    assert knowing["high"] - knowing["low"] < 0.9 * (blind["high"] - blind["low"])


def test_the_better_policy_has_a_positive_difference():
    logged, other, own = simulated(4_000, 2, 0.5)
    assert estimates(logged, other, own)["difference"]["low"] > 0
    assert estimates(logged, own, other)["difference"]["high"] < 0


def test_the_logged_policy_earns_the_observed_reward():
    logged, other, _ = simulated(300, 4, 0.5)
    as_given = estimates(logged, other, Policy(matches=logged.propensities, expected=logged.expected))["reference"]
    assert as_given["mean"] == pytest.approx(logged.rewards.sum(axis=1).mean())


def test_lists_without_any_match_give_no_estimate():
    logged, _, own = simulated(50, 3)
    never = Policy(matches=np.zeros((50, K)), expected=own.expected)
    assert estimates(logged, never, own)["snips"] == {"mean": None, "low": None, "high": None}
    assert effective_lists(logged, never) == 0


def test_lists_of_the_policy_itself_are_all_effective():
    ones = np.ones((40, 1))
    logged = LoggedRewards(users=np.arange(40), present=ones, rewards=ones, propensities=ones, expected=0 * ones)
    same = Policy(matches=ones, expected=0 * ones)
    assert effective_lists(logged, same) == 40
    assert estimates(logged, same, same)["snips"] == {"mean": 1, "low": 1, "high": 1}
