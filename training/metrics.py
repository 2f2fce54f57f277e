"""Ranking metrics, one value a user: lists in, arrays out, to be averaged, cut into segments and bootstrapped."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows

CUTS = (10, 20)  # list lengths
METRICS = tuple(f"{name}@{k}" for k in CUTS for name in ("recall", "ndcg", "mrr"))
BOOTSTRAP_SAMPLES = 1_000


def hits(ranked: Sequence[Rows], targets: Sequence[Rows], k: int) -> NDArray[np.bool_]:
    """Whether each of the first k places of each list holds a target: bool (u, k), False past the end of a list."""
    is_hit = np.zeros((len(ranked), k), np.bool_)
    for i, (rows, user_targets) in enumerate(zip(ranked, targets, strict=True)):
        top = rows[:k]
        is_hit[i, : len(top)] = np.isin(top, user_targets)
    return is_hit


def per_user(ranked: Sequence[Rows], targets: Sequence[Rows]) -> dict[str, NDArray[np.float64]]:
    """The metrics of each user, float64 (u,) by the names in METRICS.

    - recall@k: the share of the targets that are in the list.
    - ndcg@k: binary gains; the ideal list has min(targets, k) hits.
    - mrr@k: one over the place of the first target.

    Args:
        ranked: The rows of each user's list, best first.
        targets: The rows that each user bought. No user may be without one.
    """
    sizes = np.array([len(rows) for rows in targets], np.int64)
    is_hit = hits(ranked, targets, max(CUTS))
    discounts = 1 / np.log2(np.arange(2, max(CUTS) + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))
    values = {}
    for k in CUTS:
        top = is_hit[:, :k]
        values[f"recall@{k}"] = top.sum(axis=1) / sizes
        values[f"ndcg@{k}"] = top @ discounts[:k] / ideal[np.minimum(sizes, k)]
        values[f"mrr@{k}"] = np.where(top.any(axis=1), 1 / (1 + top.argmax(axis=1)), 0.0)
    return values


def interval(values: NDArray[np.float64]) -> dict[str, float | None]:
    """The mean and its 95 % percentile-bootstrap interval over users: mean, low, high. All are None without users."""
    if not len(values):
        return {"mean": None, "low": None, "high": None}
    means = _resampling(len(values)) @ values / len(values)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


@lru_cache(maxsize=8)
def _resampling(n: int) -> NDArray[np.float32]:
    """float32 (samples, n): how often each user is in each resample.

    Every metric of n users has the same draws, so the intervals of two models differ by the models alone.
    """
    return np.random.default_rng(n).multinomial(n, np.full(n, 1 / n), BOOTSTRAP_SAMPLES).astype(np.float32)
