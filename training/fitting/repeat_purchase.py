"""Learns who buys what again: how often and after how long each item is bought again, and what makes it likely.

The regression learns from the shop's own past: at a few moments before the end it looks at what every user held, and
at whether they bought it again in the days after.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.model.catalogue import Catalogue
from recsvc.model.repeat_purchase import ItemRepeats, repeat_features
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.split import Holdout, next_purchases
from training.fitting.popularity import decayed_popularity, shrunken
from training.fitting.stage import Arrays, Stage

RATE_PRIOR = 20.0  # average buyers that an item's repeat rate starts with
INTERVAL_PRIOR = 5.0  # average gaps that an item's repeat interval starts with
MIN_GAP_DAYS = 0.5  # a shorter gap between two purchases counts as this long
MOMENTS = 3
MAX_USERS = 20_000  # at each moment
MIN_REPEATS = 100  # with fewer there is too little to learn from
MIN_SCALE = 1e-6  # of a feature; a smaller one is constant


def item_repeats(interactions: Interactions, categories: NDArray[np.int32], config: TrainConfig) -> ItemRepeats:
    """How each item is bought again.

    An item with little data is drawn towards its category, and the category towards the shop: a guitar that nobody has
    had time to buy twice is still a guitar. Where nobody buys anything again, every rate is 1.

    Args:
        interactions: The purchases to count.
        categories: int32 (n_items,), a code for each item, -1 for none.
        config: The days of an interval that nobody has seen, and the half-life of popularity.
    """
    n, bought = interactions.n_items, interactions.select(interactions.purchases)
    pairs = bought.users.astype(np.int64) * n + bought.rows
    order = np.lexsort((bought.timestamps, pairs))
    pairs, times = pairs[order], bought.timestamps[order]
    new_pair = np.concatenate(([True], pairs[1:] != pairs[:-1])) if len(pairs) else np.empty(0, np.bool_)
    again = ~new_pair & np.concatenate(([False], np.diff(times) > 0)) if len(pairs) else new_pair
    buyers = np.bincount(pairs[new_pair] % n, minlength=n)
    repeaters = np.bincount(np.unique(pairs[again]) % n, minlength=n)
    popularity = decayed_popularity(interactions, config.popularity_half_life_days)
    overall = repeaters.sum() / max(buyers.sum(), 1)
    if not overall:
        return ItemRepeats(np.ones(n, np.float32), np.full(n, config.repeat_window_days, np.float32), popularity)
    # The items without a category share a last code of their own.
    codes = np.where(categories >= 0, categories, categories.max(initial=-1) + 1)
    category_rates = shrunken(np.bincount(codes, repeaters), np.bincount(codes, buyers), overall, RATE_PRIOR)
    rates = shrunken(repeaters, buyers, category_rates[codes], RATE_PRIOR) / overall
    # The geometric mean: a few users who come back after years must not stretch it.
    gaps = np.log(np.maximum(np.diff(times, prepend=times[:1])[again] / MICROSECONDS_A_DAY, MIN_GAP_DAYS))
    rows = pairs[again] % n
    sums, counts = np.bincount(rows, gaps, n), np.bincount(rows, minlength=n)
    category_gaps = shrunken(np.bincount(codes, sums), np.bincount(codes, counts), gaps.mean(), INTERVAL_PRIOR)
    intervals = np.exp(shrunken(sums, counts, category_gaps[codes], INTERVAL_PRIOR))
    return ItemRepeats(rates.astype(np.float32), intervals.astype(np.float32), popularity)


def fit_repeats(interactions: Interactions, categories: NDArray[np.int32], config: TrainConfig) -> tuple[float, ...]:
    """The coefficients for `recsvc.model.repeat_purchase.RepeatConfig`; empty where too few people buy again."""
    features: list[NDArray[np.float64]] = []
    bought_again: list[NDArray[np.bool_]] = []
    for holdout, items in _moments(interactions, categories, config):
        for history, targets in zip(holdout.histories, holdout.targets, strict=True):
            rows, row_features = repeat_features(history, holdout.time, items)
            features.append(row_features)
            bought_again.append(np.isin(rows, targets))
    x = np.concatenate(features) if features else np.empty(0)
    y = np.concatenate(bought_again) if bought_again else np.empty(0, np.bool_)
    if y.sum() < MIN_REPEATS or y.all():
        return ()
    # Learned on standardised features; the coefficients are for the features as they are.
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), MIN_SCALE)
    model = LogisticRegression(max_iter=1_000).fit((x - mean) / scale, y)
    coefficients = model.coef_[0] / scale
    return (*coefficients.tolist(), float(model.intercept_[0] - coefficients @ mean))


def _moments(
    interactions: Interactions, categories: NDArray[np.int32], config: TrainConfig
) -> Iterator[tuple[Holdout, ItemRepeats]]:
    """The events before each of MOMENTS times, a window apart, and the purchases in the window after.

    Users who bought nothing in the window are left out, as they are of validation and test.
    """
    window = config.repeat_window_days * MICROSECONDS_A_DAY
    end = int(interactions.timestamps.max(initial=0))
    for _ in range(MOMENTS):
        start = end - window
        before = interactions.select(interactions.timestamps <= start)
        after = interactions.select((interactions.timestamps > start) & (interactions.timestamps <= end))
        if before.purchases.any() and after.purchases.any():
            holdout = next_purchases(before, after, start, config.history_length).sample(MAX_USERS, config.seed)
            yield holdout, item_repeats(before, categories, config)
        end = start


def compute_repeats(config: TrainConfig, interactions: Interactions, catalogue: Catalogue) -> Arrays:
    """The arrays of `ItemRepeats` by name, and the `coefficients` of the regression."""
    categories = catalogue.categories[0]
    items = item_repeats(interactions, categories, config)
    coefficients = fit_repeats(interactions, categories, config)
    return {**vars(items), "coefficients": np.array(coefficients)}


REPEATS = Stage(
    "repeats", ("repeat_window_days", "popularity_half_life_days", "history_length", "seed"), compute_repeats
)
