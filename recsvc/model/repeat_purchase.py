"""Repeat purchases: the bonus of items that the user bought before, added to their inner product.

Half of real purchases repeat earlier ones, and no low-rank vector can represent who buys what again (Hu et al.,
"Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR 2020). So the bonus is added
after the search. A logistic regression estimates the probability that the user buys an item again soon. Its inputs are
how often and when the user bought it, how often and after how long people buy it again, and how the user shops.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY, MICROSECONDS_AN_HOUR, NO_ROWS, NO_SCORES, Floats, Rows
from recsvc.domain.shop import History

# Inputs of the regression for a user and an item; see `repeat_features`.
FEATURES = ("days", "recent", "elapsed", "overdue", "rate", "popularity", "shopping_days", "idle", "loyalty")
RECENT_HALF_LIFE = 365.0  # days


@dataclass(frozen=True)
class RepeatConfig:
    """How the chance to be bought again counts.

    Attributes:
        weight: Of the repeat bonus, in score units, tuned on validation. 0 turns the bonus off.
        baseline_probability: The probability of a repeat at which the bonus is weight * log(2).
        coefficients: Of the log odds: one for each of `FEATURES`, then the intercept. Empty if too few people buy
            again to learn them.
        exclude_bought: True in a shop where nobody buys again: bought items are left out unless the caller asks.
    """

    weight: float = 0.0
    baseline_probability: float = 0.03
    coefficients: tuple[float, ...] = ()
    exclude_bought: bool = False


@dataclass(frozen=True)
class ItemRepeats:
    """How each of n items is bought again.

    Attributes:
        rates: float32 (n,), how likely relative to the average item; 1 is average.
        intervals: float32 (n,), days from one purchase to the next.
        popularity: float32 (n,), 0 to 1.
    """

    rates: Floats
    intervals: Floats
    popularity: Floats


def repeat_features(history: History, time: int, items: ItemRepeats) -> tuple[Rows, NDArray[np.float64]]:
    """The inputs of the regression for each item that the user bought.

    Args:
        history: Of the user.
        time: When the list is shown, microseconds since 1970 UTC. It is rounded down to the hour, so that a page and
            its reasons stay the same for an hour and can be cached. Later events count as new.
        items: How each item is bought again.

    Returns:
        Distinct rows, int32 (m,), and `FEATURES` of each, float64 (m, 9).
    """
    time -= time % MICROSECONDS_AN_HOUR
    history = history.select(history.purchases)
    rows, places = np.unique(history.rows, return_inverse=True)
    if not len(rows):
        return rows, np.zeros((0, len(FEATURES)))
    ages = np.maximum(time - history.timestamps, 0) / MICROSECONDS_A_DAY
    day = (history.timestamps // MICROSECONDS_A_DAY).astype(np.int64)
    days = np.bincount(np.unique(np.stack((places, day)), axis=1)[0], minlength=len(rows))
    last = np.full(len(rows), np.inf)
    np.minimum.at(last, places, ages)
    recent = np.bincount(places, np.exp2(-ages / RECENT_HALF_LIFE), len(rows))
    elapsed = np.log(last + 0.5)
    # These describe the user, and are the same for all items.
    shopping_days, idle = np.log(len(np.unique(day))), np.log(ages.min() + 0.5)
    loyalty = 1.0 - len(rows) / days.sum()
    columns = (
        np.log(days),
        np.log(recent + 1e-3),
        elapsed,
        elapsed - np.log(items.intervals[rows]),
        np.log(items.rates[rows]),
        items.popularity[rows],
        np.full(len(rows), shopping_days),
        np.full(len(rows), idle),
        np.full(len(rows), loyalty),
    )
    return rows, np.stack(columns, axis=1).astype(np.float64)


def repeat_probabilities(history: History, time: int, items: ItemRepeats, config: RepeatConfig) -> tuple[Rows, Floats]:
    """The probability that the user buys each item again soon.

    Args:
        history: Of the user.
        time: As in `repeat_features`.
        items: How each item is bought again.
        config: Coefficients of the regression.

    Returns:
        Distinct rows, int32 (m,), and probabilities, float32 (m,). All are 0 if `config` has no coefficients.
    """
    rows, features = repeat_features(history, time, items)
    if not config.coefficients:
        return rows, np.zeros(len(rows), np.float32)
    odds = features @ np.array(config.coefficients[:-1]) + config.coefficients[-1]
    return rows, np.asarray(1.0 / (1.0 + np.exp(-odds)), np.float32)


def resting_rows(history: History, time: int, items: ItemRepeats) -> Rows:
    """Rows of items that the user bought less than their usual interval ago.

    Args:
        history: Of the user.
        time: When the list is shown, microseconds since 1970 UTC.
        items: How each item is bought again.

    Returns:
        Distinct rows, int32 (m,).
    """
    bought = history.purchases
    rows, places = np.unique(history.rows[bought][::-1], return_index=True)
    last = history.timestamps[bought][::-1][places]
    return rows[(time - last) / MICROSECONDS_A_DAY < items.intervals[rows]]


def repeat_scores(history: History, time: int, items: ItemRepeats, config: RepeatConfig) -> tuple[Rows, Floats]:
    """The repeat bonus of each item: weight * log(1 + probability / baseline_probability). It is never negative.

    Args:
        history: Of the user.
        time: As in `repeat_features`.
        items: How each item is bought again.
        config: Weight and coefficients.

    Returns:
        Distinct rows, int32 (m,), and bonuses, float32 (m,). Both are empty if the weight is 0.
    """
    if not config.weight:
        return NO_ROWS, NO_SCORES
    rows, probabilities = repeat_probabilities(history, time, items, config)
    return rows, np.asarray(config.weight * np.log1p(probabilities / config.baseline_probability), np.float32)
