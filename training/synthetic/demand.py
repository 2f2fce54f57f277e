"""The demand for items over time: skewed and drifting popularity, new arrivals, cold items and seasons."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.synthetic.catalogue import Catalogue
from training.synthetic.words import Vocabulary

PERIOD_DAYS = 30
N_PERIODS = 18
N_DAYS = PERIOD_DAYS * N_PERIODS
# The history of the shop ends on a fixed day, so that a seed makes the same shop on any day.
CLOSES = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
OPENS = CLOSES - dt.timedelta(days=N_DAYS)

COLD_SHARE = 0.05  # of the items
_ZIPF_EXPONENT = 1.05
_LATER_SHARE = 0.25  # of the items arrive while the shop is open
_WEEKEND_FACTOR = 1.3  # of the sales of another day
_SATURDAY = 5  # as datetime counts weekdays


class WeightedDraw:
    """Draws columns of a weight matrix, from one row and within one group, in proportion to the weights.

    One sorted array holds the cumulative weights of all rows and groups, so any mixture of draws is one binary search
    (inverse transform sampling).

    Args:
        weights: float (n_rows, n_columns), not negative.
        group: int (n_columns,), in [0, n_groups).
        n_groups: How many groups there are.
    """

    def __init__(self, weights: NDArray[np.float64], group: NDArray[np.int64], n_groups: int) -> None:
        self._columns = np.argsort(group, kind="stable")
        self._n_groups = n_groups
        edges = np.searchsorted(group[self._columns], np.arange(n_groups + 1))
        cumulative = np.zeros((weights.shape[0], weights.shape[1] + 1))
        np.cumsum(weights[:, self._columns], axis=1, out=cumulative[:, 1:])
        before, total = cumulative[:, edges[:-1]], np.diff(cumulative[:, edges], axis=1)
        self._nonempty = total > 0
        positive_total = np.where(self._nonempty, total, 1.0)
        group_of = group[self._columns]
        place = np.arange(weights.shape[0])[:, None] * n_groups + group_of
        self._edges = (place + (cumulative[:, 1:] - before[:, group_of]) / positive_total[:, group_of]).ravel()

    def has(self, rows: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether these rows and groups have any weight to draw from: bool (n,)."""
        return self._nonempty[rows, groups]

    def draw(
        self, rng: np.random.Generator, rows: NDArray[np.int64], groups: NDArray[np.int64] | int, k: int
    ) -> NDArray[np.int64]:
        """Draws with replacement: (len(rows), k) columns. `has` must hold for the rows and groups."""
        # Kept clear of 1, where adding the place could round up into the next group.
        uniform = rng.random((len(rows), k)) * (1 - 1e-9)
        position = np.searchsorted(self._edges, (rows * self._n_groups + groups)[:, None] + uniform, side="right")
        return self._columns[position % len(self._columns)]


@dataclass(frozen=True)
class Demand:
    """When and how much each item is bought.

    Attributes:
        launch_day: int64 (n_items,), the first day of sale.
        cold: bool (n_items,), True for an item without events, or with events only in the last period.
        weights: float64 (N_PERIODS, n_items), 0 while an item is not for sale.
        season: float64 (n_categories, N_DAYS), the sales of each category on each day; 1 on its best day.
    """

    launch_day: NDArray[np.int64]
    cold: NDArray[np.bool_]
    weights: NDArray[np.float64]
    season: NDArray[np.float64]


def make_demand(vocabulary: Vocabulary, catalogue: Catalogue, rng: np.random.Generator) -> Demand:
    """Draws the demand: Zipf within the category, times a drift for each item, times the interest in new arrivals."""
    n_items = len(catalogue.category)
    rank = _rank_within_category(catalogue.category, rng)
    # The best seller of each category is neither cold nor new, so that every category can be bought at any time.
    ordinary = np.flatnonzero(rank > 0)
    ordinary = rng.permutation(ordinary)
    n_cold = min(round(COLD_SHARE * n_items), len(ordinary))
    never_sold, newest = ordinary[: n_cold // 2], ordinary[n_cold // 2 : n_cold]
    later = ordinary[n_cold : n_cold + round(_LATER_SHARE * n_items)]

    launch = np.zeros(n_items, dtype=np.int64)
    launch[later] = rng.integers(1, N_PERIODS - 1, len(later))
    launch[newest] = N_PERIODS - 1
    cold = np.zeros(n_items, dtype=bool)
    cold[never_sold] = cold[newest] = True

    period = np.arange(N_PERIODS)[:, None]
    drift = np.exp(rng.normal(0.0, 1.2, n_items) * (period / N_PERIODS - 0.5))
    age = period - launch
    novelty = np.where(launch > 0, 1.0 + 2.0 * np.exp(-np.maximum(age, 0) / 2.0), 1.0)
    weights = np.asarray((rank + 1.5) ** -_ZIPF_EXPONENT * drift * novelty * (age >= 0), np.float64)
    weights[:, never_sold] = 0.0
    return Demand(launch * PERIOD_DAYS, cold, weights, _season(vocabulary))


def _rank_within_category(category: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Random ranks: 0 for the most popular item of a category, then 1, and so on."""
    order = np.lexsort((rng.random(len(category)), category))
    first = np.searchsorted(category[order], category[order])
    rank = np.empty(len(category), dtype=np.int64)
    rank[order] = np.arange(len(category)) - first
    return rank


def _season(vocabulary: Vocabulary) -> NDArray[np.float64]:
    days = [OPENS + dt.timedelta(days=day) for day in range(N_DAYS)]
    weekend = np.array([_WEEKEND_FACTOR if day.weekday() >= _SATURDAY else 1.0 for day in days])
    rows = []
    for category in vocabulary.categories:
        level = np.array([category.swing if day.month in category.peak else 1.0 for day in days])
        # A season begins and ends over two weeks.
        rows.append(np.convolve(np.pad(level, 7, mode="edge"), np.full(15, 1 / 15), mode="valid") * weekend)
    season = np.stack(rows)
    return np.asarray(season / season.max(axis=1, keepdims=True), np.float64)
