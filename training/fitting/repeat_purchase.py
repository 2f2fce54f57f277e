"""Learning who buys what again: how often and after how long each item is, and what makes it likely.

The regression is learned from the shop's own past: at each of a few moments before the end, what every user held and
whether they bought it again in the days after.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.model.repeat_purchase import ItemRepeats, repeat_features
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.split import Holdout, next_purchases
from training.fitting.popularity import decayed_popularity, shrunken

# How many average buyers' worth of doubt a repeat rate starts with, and how many average gaps' an interval.
RATE_PRIOR, INTERVAL_PRIOR = 20.0, 5.0
MOMENTS = 3
USERS = 20_000  # at most, at each moment
# With fewer purchases again than this to learn from there is nothing to learn.
ENOUGH = 100


def item_repeats(interactions: Interactions, categories: NDArray[np.int32], config: TrainConfig) -> ItemRepeats:
    """How each item is bought again. Where little is known of one it is drawn towards its category, and that towards
    the shop: a guitar that nobody has had time to buy twice is still a guitar. categories: codes (n_items,), -1 for
    none. Where nobody buys again every rate is 1.
    """
    n, bought = interactions.n_items, interactions.select(interactions.purchases)
    pairs = bought.users.astype(np.int64) * n + bought.rows
    order = np.lexsort((bought.timestamps, pairs))
    pairs, times = pairs[order], bought.timestamps[order]
    new_pair = np.append(True, pairs[1:] != pairs[:-1]) if len(pairs) else np.empty(0, bool)
    again = ~new_pair & np.append(False, np.diff(times) > 0) if len(pairs) else new_pair
    buyers = np.bincount(pairs[new_pair] % n, minlength=n)
    repeaters = np.bincount(np.unique(pairs[again]) % n, minlength=n)
    popularity = decayed_popularity(interactions, config.popularity_half_life_days)
    overall = repeaters.sum() / max(buyers.sum(), 1)
    if not overall:
        return ItemRepeats(np.ones(n, np.float32), np.full(n, config.repeat_window_days, np.float32), popularity)
    # A last code of its own for the items without a category.
    codes = np.where(categories >= 0, categories, categories.max(initial=-1) + 1)
    of_category = shrunken(np.bincount(codes, repeaters), np.bincount(codes, buyers), overall, RATE_PRIOR)
    rates = shrunken(repeaters, buyers, of_category[codes], RATE_PRIOR) / overall
    # The geometric mean: a few users who come back after years must not stretch it.
    gaps = np.log(np.maximum(np.diff(times, prepend=times[:1])[again] / MICROSECONDS_A_DAY, 0.5))
    rows = pairs[again] % n
    sums, counts = np.bincount(rows, gaps, n), np.bincount(rows, minlength=n)
    of_category = shrunken(np.bincount(codes, sums), np.bincount(codes, counts), gaps.mean(), INTERVAL_PRIOR)
    intervals = np.exp(shrunken(sums, counts, of_category[codes], INTERVAL_PRIOR))
    return ItemRepeats(rates.astype(np.float32), intervals.astype(np.float32), popularity)


def fit_repeats(interactions: Interactions, categories: NDArray[np.int32], config: TrainConfig) -> tuple[float, ...]:
    """The coefficients for `recsvc.model.repeat_purchase.RepeatConfig`; none where too few people buy again."""
    features, again = [], []
    for holdout, items in _moments(interactions, categories, config):
        for history, targets in zip(holdout.histories, holdout.targets, strict=True):
            rows, found = repeat_features(history, holdout.time, items)
            features.append(found)
            again.append(np.isin(rows, targets))
    x, y = (np.concatenate(parts) if parts else np.empty(0) for parts in (features, again))
    if y.sum() < ENOUGH or y.all():
        return ()
    # Learned on features of one size, told in their own.
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    model = LogisticRegression(max_iter=1_000).fit((x - mean) / scale, y)
    coefficients = model.coef_[0] / scale
    return (*coefficients.tolist(), float(model.intercept_[0] - coefficients @ mean))


def _moments(
    interactions: Interactions, categories: NDArray[np.int32], config: TrainConfig
) -> Iterator[tuple[Holdout, ItemRepeats]]:
    """What was known and what came next at MOMENTS times, a window apart; users who bought nothing then are left out,
    as they are of validation and test.
    """
    window = config.repeat_window_days * MICROSECONDS_A_DAY
    end = int(interactions.timestamps.max(initial=0))
    for _ in range(MOMENTS):
        start = end - window
        before = interactions.select(interactions.timestamps <= start)
        after = interactions.select((interactions.timestamps > start) & (interactions.timestamps <= end))
        if before.purchases.any() and after.purchases.any():
            holdout = next_purchases(before, after, start, config.history_length).sample(USERS, config.seed)
            yield holdout, item_repeats(before, categories, config)
        end = start
