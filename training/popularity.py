"""What is known of each item from how much, by how many and how often again it is bought."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.towers.confidence import MICROSECONDS_A_DAY
from training.interactions import Interactions

# How many average buyers' worth of doubt a repeat rate starts with.
REPEAT_PRIOR = 20.0


def decayed_popularity(interactions: Interactions, half_life_days: float) -> NDArray[np.float32]:
    """float32 (n_items,), 0 to 1: log(1 + purchases decayed back from the last event), over its maximum."""
    bought = interactions.select(interactions.purchases)
    ages = (interactions.timestamps.max() - bought.timestamps) / (half_life_days * MICROSECONDS_A_DAY)
    counts = np.log1p(np.bincount(bought.rows, np.exp2(-ages), interactions.n_items))
    return np.asarray(counts / max(float(counts.max()), 1e-12), np.float32)


def recent_buyers(interactions: Interactions, days: int) -> NDArray[np.int32]:
    """int32 (n_items,): different users who bought each item in the last `days` of the events."""
    since = interactions.timestamps.max() - days * MICROSECONDS_A_DAY
    recent = interactions.purchases & (interactions.timestamps > since)
    pairs = np.unique(interactions.users[recent].astype(np.int64) * interactions.n_items + interactions.rows[recent])
    return np.bincount(pairs % interactions.n_items, minlength=interactions.n_items).astype(np.int32)


def repeat_rates(interactions: Interactions, categories: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 (n_items,): the share of an item's buyers who bought it at two or more times, over the shop's share.

    Where there are few buyers it is drawn towards the share of the item's category, and that towards the shop's: a
    guitar that nobody has had time to buy twice is still a guitar. All 1 where nobody buys again. categories: codes
    (n_items,), -1 for none.
    """
    n, bought = interactions.n_items, interactions.select(interactions.purchases)
    pairs = bought.users.astype(np.int64) * n + bought.rows
    order = np.lexsort((bought.timestamps, pairs))
    pairs, times = pairs[order], bought.timestamps[order]
    new_pair = np.r_[True, pairs[1:] != pairs[:-1]]
    again = np.r_[False, (pairs[1:] == pairs[:-1]) & (times[1:] > times[:-1])]
    buyers = np.bincount(pairs[new_pair] % n, minlength=n)
    repeaters = np.bincount(np.unique(pairs[again]) % n, minlength=n)
    overall = repeaters.sum() / max(buyers.sum(), 1)
    if not overall:
        return np.ones(n, np.float32)
    # A last code of its own for the items without a category.
    codes = np.where(categories >= 0, categories, categories.max(initial=-1) + 1)
    of_category = _shrunken(np.bincount(codes, repeaters), np.bincount(codes, buyers), overall)
    return np.asarray(_shrunken(repeaters, buyers, of_category[codes]) / overall, np.float32)


def _shrunken(repeaters: NDArray[Any], buyers: NDArray[Any], prior: NDArray[Any] | float) -> NDArray[np.float64]:
    return np.asarray((repeaters + REPEAT_PRIOR * prior) / (buyers + REPEAT_PRIOR), np.float64)
