"""Estimators of off-policy evaluation: the reward of another policy, from randomised lists. Knows arrays alone.

They are self-normalised inverse propensities (Swaminathan and Joachims, "The self-normalized estimator", NeurIPS 2015)
and doubly robust (Dudik et al., ICML 2011). Lists follow the item-position model (Li et al., "Offline evaluation of
ranking policies with click models", KDD 2018): the reward of an item depends on the user, the item and its place alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BOOTSTRAP_SAMPLES = 1_000
_CHUNK_USERS = 10_000  # whose draws are in memory at a time


@dataclass(frozen=True, kw_only=True)
class LoggedRewards:
    """The rewards of n logged lists of at most k places. Everything is 0 at a place that a list does not have.

    Attributes:
        users: The user of each list, (n,).
        present: 1 if the list has the place, (n, k).
        rewards: The reward of the place, (n, k).
        propensities: The probability that the place showed the item that it did, (n, k).
        expected: The reward predicted by a model that was fitted on other users, (n, k).
    """

    users: NDArray[np.intp]
    present: Floats
    rewards: Floats
    propensities: Floats
    expected: Floats


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A way to fill the places of n lists.

    Attributes:
        matches: The probability that the policy puts the logged item at the place, (n, k).
        expected: The predicted reward of the items that the policy puts there, (n, k).
    """

    matches: Floats
    expected: Floats

    def weights(self, logged: LoggedRewards) -> Floats:
        """The importance weight of each place, (n, k): the policy's probability over the logged one."""
        zeros = np.zeros_like(self.matches)
        return np.divide(self.matches, logged.propensities, out=zeros, where=logged.propensities > 0)

    def doubly_robust(self, logged: LoggedRewards) -> Floats:
        """The unbiased reward of each list under the policy, (n,)."""
        terms = self.expected + self.weights(logged) * (logged.rewards - logged.expected)
        return np.asarray((terms * logged.present).sum(axis=1))


def estimates(
    logged: LoggedRewards, policy: Policy, reference: Policy, seed: int = 0
) -> dict[str, dict[str, float | None]]:
    """Estimates the reward of one list.

    Returns:
        "snips" and "doubly_robust" under the policy, "reference" (doubly robust) under the reference, and
        "difference", the policy minus the reference. Each is {mean, low, high} with the 95 % interval of a bootstrap
        over users, or None if there is nothing to estimate from.
    """
    sums = _by_user(logged, policy, reference)
    values = _values(sums.sum(axis=0, keepdims=True))
    drawn = _values(_resampled(sums, np.random.default_rng(seed)))
    return {name: _interval(float(value[0]), drawn[name]) for name, value in values.items()}


def effective_lists(logged: LoggedRewards, policy: Policy) -> float:
    """How many lists of the policy itself would be as informative as these, averaged over places."""
    weights = policy.weights(logged)
    squares = (weights**2).sum(axis=0)
    sizes = np.divide(weights.sum(axis=0) ** 2, squares, out=np.zeros_like(squares), where=squares > 0)
    return float(sizes.mean())


def _by_user(logged: LoggedRewards, policy: Policy, reference: Policy) -> Floats:
    """Sums by user, (users, 3 k + 3).

    The columns are weighted rewards, weights and places (k each), then doubly robust rewards of the policy and of the
    reference, and lists.
    """
    weights = policy.weights(logged)
    totals = [policy.doubly_robust(logged), reference.doubly_robust(logged), np.ones(len(logged.users))]
    terms = np.concatenate([weights * logged.rewards, weights, logged.present, np.stack(totals, axis=1)], axis=1)
    _, users = np.unique(logged.users, return_inverse=True)
    sums = np.zeros((int(users.max(initial=-1)) + 1, terms.shape[1]))
    np.add.at(sums, users, terms)
    return sums


def _values(sums: Floats) -> dict[str, Floats]:
    """Estimates, (samples,) each, from sums, (samples, 3 k + 3)."""
    k = (sums.shape[1] - 3) // 3
    earned, weights, present = (sums[:, part * k : (part + 1) * k] for part in range(3))
    robust, other, lists = sums[:, 3 * k :].T
    with np.errstate(divide="ignore", invalid="ignore"):
        snips = (earned / weights * present).sum(axis=1) / lists
        values = {"doubly_robust": robust / lists, "reference": other / lists, "difference": (robust - other) / lists}
    return {"snips": snips, **values}


def _resampled(sums: Floats, rng: np.random.Generator) -> Floats:
    """Totals over resampled users, (samples, ...), by the Poisson bootstrap."""
    drawn = np.zeros((BOOTSTRAP_SAMPLES, sums.shape[1]))
    for start in range(0, len(sums), _CHUNK_USERS):
        part = sums[start : start + _CHUNK_USERS]
        drawn += rng.poisson(1.0, (BOOTSTRAP_SAMPLES, len(part))) @ part
    return drawn


def _interval(value: float, drawn: Floats) -> dict[str, float | None]:
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return {"mean": None, "low": None, "high": None}
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": value, "low": float(low), "high": float(high)}
