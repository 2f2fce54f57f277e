"""Measures each item by its purchases: popularity, newness and the number of recent buyers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from training.data.interactions import Interactions


def decayed_popularity(interactions: Interactions, half_life_days: float) -> NDArray[np.float32]:
    """float32 (n_items,), 0 to 1: log(1 + purchases, decayed by their age at the last event), over its maximum."""
    bought = interactions.select(interactions.purchases)
    ages = (interactions.end - bought.timestamps) / (half_life_days * MICROSECONDS_A_DAY)
    counts = np.log1p(np.bincount(bought.rows, np.exp2(-ages), interactions.n_items))
    return np.asarray(counts / max(float(counts.max()), 1e-12), np.float32)


def newness(interactions: Interactions, half_life_days: float) -> NDArray[np.float32]:
    """float32 (n_items,), 0 to 1: halves each half-life after the first purchase; 1 for an item without a purchase."""
    bought, now = interactions.select(interactions.purchases), interactions.end
    first = np.full(interactions.n_items, now, np.int64)
    np.minimum.at(first, bought.rows, bought.timestamps)
    return np.asarray(np.exp2(-(now - first) / (half_life_days * MICROSECONDS_A_DAY)), np.float32)


def recent_buyers(interactions: Interactions, days: int) -> NDArray[np.int32]:
    """int32 (n_items,): how many different users bought each item in the last `days` of the events."""
    since = interactions.end - days * MICROSECONDS_A_DAY
    recent = interactions.purchases & (interactions.timestamps > since)
    pairs = np.unique(interactions.users[recent].astype(np.int64) * interactions.n_items + interactions.rows[recent])
    return np.bincount(pairs % interactions.n_items, minlength=interactions.n_items).astype(np.int32)


def shrunken(
    totals: NDArray[Any], counts: NDArray[Any], prior: NDArray[Any] | float, weight: float
) -> NDArray[np.float64]:
    """The means of groups, drawn towards a prior.

    Args:
        totals: The sum in each group.
        counts: The number of values in each group.
        prior: The mean that a group without values has.
        weight: How many values the prior counts as.
    """
    return np.asarray((totals + weight * prior) / (counts + weight), np.float64)
