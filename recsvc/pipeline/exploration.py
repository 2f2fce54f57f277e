"""Randomised exploration with known propensities, so that logged feedback can be used for off-policy evaluation.

A slate has n candidates in order; the first k are shown. Each of the k places in turn explores with a small
probability: the candidate there is swapped with one of the others, each equally likely. So any candidate may stand at
any place, and the probability of that is known exactly. Off-policy evaluation needs nothing else. Arrays only.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def explore(n: int, k: int, probability: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Returns which candidate stands at each place, (n,); the first k are shown.

    Args:
        n: The number of candidates.
        k: The number of places that are shown.
        probability: That a place explores, 0 to 1.
        rng: The source of randomness.
    """
    order = np.arange(n)
    if n <= 1:
        return order
    for place in np.flatnonzero(rng.random(min(k, n)) < probability).tolist():
        other = int(rng.integers(n - 1))
        other += other >= place
        order[[place, other]] = order[[other, place]]
    return order


@lru_cache(maxsize=256)
def propensities(n: int, k: int, probability: float) -> NDArray[np.float64]:
    """Returns the probability with which `explore` puts each candidate at each place that is shown, (n, min(k, n))."""
    matrix = np.eye(n)
    if n <= 1:
        return matrix[:, :k]
    for place in range(min(k, n)):
        # The candidate of this place moves to each other place with an equal share of the probability, and the
        # candidate there moves here.
        here, others = matrix[:, place].copy(), matrix.sum(1) - matrix[:, place]
        share = probability / (n - 1)
        matrix = matrix * (1 - share) + share * here[:, None]
        matrix[:, place] = (1 - probability) * here + share * others
    return matrix[:, :k]
