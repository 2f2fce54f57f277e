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
# The last of these describe the user, and are the same for all items.
USER_FEATURES = 3
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
    bought = _Purchases.of(history, time)
    features = np.hstack((bought.item_features(items), np.tile(bought.user_features(), (len(bought.rows), 1))))
    return bought.rows, features


@dataclass(frozen=True)
class _Purchases:
    """What the regression reads of a user's purchases.

    Attributes:
        rows: Distinct rows, ascending, int32 (m,).
        days: The number of days on which each was bought, (m,).
        only_bought: The number of days on which the user bought nothing else, (m,).
        last: Days since each was bought last, (m,).
        recent: The number of purchases of each, where older ones count less, (m,).
        shopping_days: The number of days on which the user bought anything.
    """

    rows: Rows
    days: NDArray[np.intp]
    only_bought: NDArray[np.intp]
    last: NDArray[np.float64]
    recent: NDArray[np.float64]
    shopping_days: int

    @staticmethod
    def of(history: History, time: int) -> "_Purchases":
        """Counts the purchases of a history. time: as in `repeat_features`."""
        time -= time % MICROSECONDS_AN_HOUR
        kept = history.purchases
        timestamps = history.timestamps[kept]
        rows, places = np.unique(history.rows[kept], return_inverse=True)
        m = len(rows)
        ages = np.maximum(time - timestamps, 0) / MICROSECONDS_A_DAY
        calendar_days, day_places = np.unique(timestamps // MICROSECONDS_A_DAY, return_inverse=True)
        # Distinct pairs of an item and a day.
        pairs = np.unique(places * len(calendar_days) + day_places)
        item_places, day_places = np.divmod(pairs, max(len(calendar_days), 1))
        alone = np.bincount(day_places, minlength=len(calendar_days))[day_places] == 1
        last = np.full(m, np.inf)
        np.minimum.at(last, places, ages)
        return _Purchases(
            rows=rows,
            days=np.bincount(item_places, minlength=m),
            only_bought=np.bincount(item_places[alone], minlength=m),
            last=last,
            recent=np.asarray(np.bincount(places, np.exp2(-ages / RECENT_HALF_LIFE), m), np.float64),
            shopping_days=len(calendar_days),
        )

    def places_of(self, rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Returns the place of each row among those bought, and whether it was bought, (p,) each."""
        if not len(self.rows):
            return np.zeros(len(rows), np.intp), np.zeros(len(rows), np.bool_)
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return places, self.rows[places] == rows

    def item_features(self, items: ItemRepeats) -> NDArray[np.float64]:
        """Returns the features that describe one item, the first of `FEATURES`, float64 (m, 6)."""
        elapsed = np.log(self.last + 0.5)
        columns = (
            np.log(self.days),
            np.log(self.recent + 1e-3),
            elapsed,
            elapsed - np.log(items.intervals[self.rows]),
            np.log(items.rates[self.rows]),
            items.popularity[self.rows],
        )
        return np.stack(columns, axis=1).astype(np.float64)

    def user_features(self) -> NDArray[np.float64]:
        """Returns the features that describe the user, the last of `FEATURES`, float64 (3,)."""
        if not len(self.rows):
            return np.zeros(USER_FEATURES)
        loyalty = 1.0 - len(self.rows) / self.days.sum()
        return np.array((np.log(self.shopping_days), np.log(self.last.min() + 0.5), loyalty))

    def user_features_without(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Returns `user_features` without each of some items, float64 (l, 3). There must be two items or more."""
        newest, second = np.partition(self.last, 1)[:2]
        idle = np.where((self.last == newest)[places], second, newest)
        loyalty = 1.0 - (len(self.rows) - 1) / (self.days.sum() - self.days[places])
        shopping_days = self.shopping_days - self.only_bought[places]
        return np.stack((np.log(shopping_days), np.log(idle + 0.5), loyalty), axis=1)


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
    return rows, _probabilities(odds)


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
    return rows, _bonuses(probabilities, config)


def repeat_scores_without(
    history: History, time: int, items: ItemRepeats, config: RepeatConfig, left_out_rows: Rows, rows: Rows
) -> Floats:
    """The repeat bonus that some items would have without the events of each of some items, one at a time.

    It is that of `repeat_scores` for the shorter history: one item less changes only what describes the user.

    Args:
        history: Of the user.
        time: As in `repeat_features`.
        items: How each item is bought again.
        config: Weight and coefficients.
        left_out_rows: The l items that are left out one by one.
        rows: The p items.

    Returns:
        float32 (l, p).
    """
    bonuses = np.zeros((len(left_out_rows), len(rows)), np.float32)
    bought = _Purchases.of(history, time)
    places, held = bought.places_of(rows)
    left_out, was_bought = bought.places_of(left_out_rows)
    if not config.weight or not config.coefficients or not held.any():
        return bonuses
    *coefficients, intercept = config.coefficients
    of_user = np.tile(bought.user_features(), (len(left_out_rows), 1))
    if len(bought.rows) > 1:
        of_user[was_bought] = bought.user_features_without(left_out[was_bought])
    odds = (
        of_user @ np.array(coefficients[-USER_FEATURES:])[:, None]
        + (bought.item_features(items) @ np.array(coefficients[:-USER_FEATURES]))[places[held]]
        + intercept
    )
    bonuses[:, held] = _bonuses(_probabilities(odds), config)
    bonuses[left_out_rows[:, None] == rows] = 0
    return bonuses


def _probabilities(odds: NDArray[np.float64]) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-odds)), np.float32)


def _bonuses(probabilities: Floats, config: RepeatConfig) -> Floats:
    return np.asarray(config.weight * np.log1p(probabilities / config.baseline_probability), np.float32)
