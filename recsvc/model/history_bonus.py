"""What a history adds to the inner products: one function for serving, evaluation and the checks of reasons."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.domain.shop import History
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import RepeatConfig, repeat_scores
from recsvc.model.towers.confidence import WeightedHistory
from recsvc.ranking import NOTHING, Ranking


@dataclass(frozen=True)
class HistoryBonus:
    """What items gain for one user beside the inner product. Rows ascend; no gain is negative.

    Attributes:
        repeats: Because the user bought the item before.
        neighbours: Because the item is a neighbour of the user's newest items.
    """

    repeats: Ranking = NOTHING
    neighbours: Ranking = NOTHING

    @cached_property
    def total(self) -> Ranking:
        """Both together, as `recsvc.ranking.rank` takes them."""
        return sum_of(self.neighbours, self.repeats)


NO_BONUS = HistoryBonus()


def sum_of(gains: Ranking, others: Ranking) -> Ranking:
    """Adds up two parts of a bonus. Their rows ascend, and so do those of the sum."""
    if not len(gains.rows) or not len(others.rows):
        return others if len(others.rows) else gains
    places = np.searchsorted(gains.rows, others.rows)
    shared = gains.rows[np.minimum(places, len(gains.rows) - 1)] == others.rows
    scores = gains.scores.copy()
    scores[places[shared]] += others.scores[shared]
    new = places[~shared]
    return Ranking(np.insert(gains.rows, new, others.rows[~shared]), np.insert(scores, new, others.scores[~shared]))


def history_bonus(
    bundle: Bundle, history: History, time: int, *, silent_rows: Rows = NO_ROWS, repeats: RepeatConfig | None = None
) -> HistoryBonus:
    """Computes what a history adds to the inner products.

    Args:
        bundle: The model.
        history: Of the user.
        time: When the list is shown, in microseconds since 1970 UTC.
        silent_rows: See `neighbour_gains`.
        repeats: Used in place of the bundle's own, for ablation.
    """
    return HistoryBonus(
        repeats=Ranking(*repeat_scores(history, time, bundle.item_repeats, repeats or bundle.model.repeats)),
        neighbours=neighbour_gains(bundle, history, silent_rows),
    )


def neighbour_gains(bundle: Bundle, history: History, silent_rows: Rows = NO_ROWS) -> Ranking:
    """Computes what items gain as neighbours of a user's newest items.

    Args:
        bundle: The model.
        history: Of the user.
        silent_rows: Rows that gain nothing: gifts, and what the user dislikes.
    """
    sequence = WeightedHistory.of(history, bundle.model.confidence).sequence
    rows, gains = bundle.neighbours.of_history(sequence, bundle.model.neighbours)
    kept = _gaining(rows, silent_rows)
    return Ranking(rows[kept], gains[kept])


def gains_left_out(
    bundle: Bundle, history: History, left_out_rows: Rows, silent_rows: Rows = NO_ROWS
) -> tuple[Rows, Floats]:
    """Computes what items would gain as neighbours without each of some items of the history.

    Args:
        bundle: The model.
        history: Of the user.
        left_out_rows: The l items that are left out one by one.
        silent_rows: See `neighbour_gains`.

    Returns:
        Ascending rows (c,), and the gain of each, float32 (l, c).
    """
    sequence = WeightedHistory.of(history, bundle.model.confidence).sequence
    rows, gains = bundle.neighbours.left_out(sequence, left_out_rows, bundle.model.neighbours)
    kept = _gaining(rows, silent_rows)
    return rows[kept], gains[:, kept]


def _gaining(rows: Rows, silent_rows: Rows) -> NDArray[np.bool_] | slice:
    return ~np.isin(rows, silent_rows) if len(silent_rows) else slice(None)
