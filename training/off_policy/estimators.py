"""What another policy would have earned, from what chance showed: estimators of off-policy evaluation. Arrays alone.

Self-normalised inverse propensities (Swaminathan and Joachims, "The self-normalized estimator", NeurIPS 2015) and
doubly robust (Dudik et al., ICML 2011), of lists by the item-position model (Li et al., "Offline evaluation of ranking
policies with click models", KDD 2018): what an item earns depends on the user, the item and its place alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BOOTSTRAP_SAMPLES = 1_000
_CHUNK = 10_000  # users whose draws are in memory at a time


@dataclass(frozen=True)
class LoggedRewards:
    """n lists of at most k places; where a list has no such place, all is 0.

    users: int (n,), whose each list is. there: 1 where the list has the place. rewards: what the place earned.
    propensities: how likely what stood there was. expected: what a model that was fitted on other users expects of it.
    Each (n, k).
    """

    users: NDArray[np.intp]
    there: Floats
    rewards: Floats
    propensities: Floats
    expected: Floats


@dataclass(frozen=True)
class Policy:
    """matches: how likely it puts at each place what stood there. expected: what the model of rewards expects of what
    it puts there. Each (n, k).
    """

    matches: Floats
    expected: Floats

    def weights(self, logged: LoggedRewards) -> Floats:
        """How much more, or less, of what stood at each place it would have shown."""
        nothing = np.zeros_like(self.matches)
        return np.divide(self.matches, logged.propensities, out=nothing, where=logged.propensities > 0)

    def doubly_robust(self, logged: LoggedRewards) -> Floats:
        """(n,): what each list would have earned, right on average."""
        terms = self.expected + self.weights(logged) * (logged.rewards - logged.expected)
        return np.asarray((terms * logged.there).sum(axis=1))


def estimates(
    logged: LoggedRewards, policy: Policy, reference: Policy, seed: int = 0
) -> dict[str, dict[str, float | None]]:
    """What a list earns, each {mean, low, high} with 95 % of a bootstrap over users; None where nothing tells.

    "snips", "doubly_robust": under the policy. "reference": doubly robust under the other. "difference": the policy
    less the reference.
    """
    sums = _by_user(logged, policy, reference)
    values = _values(sums.sum(axis=0, keepdims=True))
    drawn = _values(_resampled(sums, np.random.default_rng(seed)))
    return {name: _interval(float(value[0]), drawn[name]) for name, value in values.items()}


def effective_lists(logged: LoggedRewards, policy: Policy) -> float:
    """How many lists drawn from the policy itself would tell as much as these do of it, on average of places."""
    weights = policy.weights(logged)
    squares = (weights**2).sum(axis=0)
    sizes = np.divide(weights.sum(axis=0) ** 2, squares, out=np.zeros_like(squares), where=squares > 0)
    return float(sizes.mean())


def _by_user(logged: LoggedRewards, policy: Policy, reference: Policy) -> Floats:
    """(users, 3 k + 3): sums of weighted rewards, weights and places; of both policies' doubly robust terms; lists."""
    weights = policy.weights(logged)
    totals = [policy.doubly_robust(logged), reference.doubly_robust(logged), np.ones(len(logged.users))]
    terms = np.concatenate([weights * logged.rewards, weights, logged.there, np.stack(totals, axis=1)], axis=1)
    _, users = np.unique(logged.users, return_inverse=True)
    sums = np.zeros((int(users.max(initial=-1)) + 1, terms.shape[1]))
    np.add.at(sums, users, terms)
    return sums


def _values(sums: Floats) -> dict[str, Floats]:
    """(samples,) each, from (samples, 3 k + 3)."""
    k = (sums.shape[1] - 3) // 3
    earned, weights, there = (sums[:, part * k : (part + 1) * k] for part in range(3))
    robust, other, lists = sums[:, 3 * k :].T
    with np.errstate(divide="ignore", invalid="ignore"):
        snips = (earned / weights * there).sum(axis=1) / lists
        values = {"doubly_robust": robust / lists, "reference": other / lists, "difference": (robust - other) / lists}
    return {"snips": snips, **values}


def _resampled(sums: Floats, rng: np.random.Generator) -> Floats:
    """(samples, ...): totals over users drawn again and again, by the Poisson bootstrap."""
    drawn = np.zeros((BOOTSTRAP_SAMPLES, sums.shape[1]))
    for start in range(0, len(sums), _CHUNK):
        part = sums[start : start + _CHUNK]
        drawn += rng.poisson(1.0, (BOOTSTRAP_SAMPLES, len(part))) @ part
    return drawn


def _interval(value: float, drawn: Floats) -> dict[str, float | None]:
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return {"mean": None, "low": None, "high": None}
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": value, "low": float(low), "high": float(high)}
