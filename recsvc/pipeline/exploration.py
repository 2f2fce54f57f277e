"""Chance in a list, so that what became of it can tell what became of another one. Arrays alone.

A list has n candidates in their order, of which the first k are shown. Each of the k places in turn explores: with a
small chance, what stands there changes places with one of the others, each as likely. So any candidate may stand at
any place, and how likely that was is known exactly, which is all that off-policy evaluation asks for.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def explore(n: int, k: int, chance: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """(n,): which candidate stands at each place; the first k are shown. chance: 0 to 1."""
    order = np.arange(n)
    if n < 2:
        return order
    for place in np.flatnonzero(rng.random(min(k, n)) < chance).tolist():
        other = int(rng.integers(n - 1))
        other += other >= place
        order[[place, other]] = order[[other, place]]
    return order


@lru_cache(maxsize=256)
def propensities(n: int, k: int, chance: float) -> NDArray[np.float64]:
    """(n, k): how likely `explore` puts each candidate at each of the places that are shown."""
    stands = np.eye(n)
    if n < 2:
        return stands[:, :k]
    for place in range(min(k, n)):
        # This place's items go to each other place with the share of the chance, and theirs come here.
        here, others = stands[:, place].copy(), stands.sum(1) - stands[:, place]
        share = chance / (n - 1)
        stands = stands * (1 - share) + share * here[:, None]
        stands[:, place] = (1 - chance) * here + share * others
    return stands[:, :k]
