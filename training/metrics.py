"""Ranking metrics, one value a user: lists in, arrays out, to be averaged, cut and bootstrapped."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CUTS = (10, 20)
METRICS = tuple(f"{name}@{k}" for k in CUTS for name in ("recall", "ndcg", "mrr"))
BOOTSTRAP_SAMPLES = 1_000


def hits(ranked: Sequence[NDArray[np.int32]], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.bool_]:
    """bool (u, k): whether each place of each list holds a target; places past the list's end do not."""
    found = np.zeros((len(ranked), k), bool)
    for i, (rows, wanted) in enumerate(zip(ranked, targets, strict=True)):
        top = rows[:k]
        found[i, : len(top)] = np.isin(top, wanted)
    return found


def per_user(
    ranked: Sequence[NDArray[np.int32]], targets: Sequence[NDArray[np.int32]]
) -> dict[str, NDArray[np.float64]]:
    """recall@k: found targets over all targets. ndcg@k: binary gains, ideal over min(targets, k) places. mrr@k: one
    over the place of the first target. Each float64 (u,); a user without targets must not be among them.
    """
    sizes = np.array([len(wanted) for wanted in targets], np.int64)
    found = hits(ranked, targets, max(CUTS))
    discounts = 1 / np.log2(np.arange(2, max(CUTS) + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))
    values = {}
    for k in CUTS:
        top = found[:, :k]
        values[f"recall@{k}"] = top.sum(axis=1) / sizes
        values[f"ndcg@{k}"] = top @ discounts[:k] / ideal[np.minimum(sizes, k)]
        values[f"mrr@{k}"] = np.where(top.any(axis=1), 1 / (1 + top.argmax(axis=1)), 0.0)
    return values


def interval(values: NDArray[np.float64]) -> dict[str, float | None]:
    """The mean and its 95 % percentile-bootstrap interval over users: {mean, low, high}; None each without users."""
    if not len(values):
        return {"mean": None, "low": None, "high": None}
    means = _resampling(len(values)) @ values / len(values)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


@lru_cache(maxsize=8)
def _resampling(n: int) -> NDArray[np.float32]:
    """float32 (samples, n): how often each user is in each resample. The same draws for every metric of n users, so
    that intervals of two models differ by the models alone.
    """
    return np.random.default_rng(n).multinomial(n, np.full(n, 1 / n), BOOTSTRAP_SAMPLES).astype(np.float32)
