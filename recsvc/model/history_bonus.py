"""What a history adds to the inner products: one function for serving, evaluation and the checks of reasons."""

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.domain.shop import History
from recsvc.model.bundle import Bundle
from recsvc.model.neighbours import NewestItems
from recsvc.model.repeat_purchase import RepeatConfig, repeat_scores
from recsvc.model.towers.confidence import WeightedHistory
from recsvc.ranking import NOTHING, Ranking


@dataclass(frozen=True)
class HistoryBonus:
    """What items gain for one user beside the inner product. Rows ascend; no gain is negative.

    Attributes:
        repeats: Because the user bought the item before.
        neighbours: Because the item is a neighbour of the user's newest items.
        total: Both together, as `recsvc.ranking.rank` takes them.
        newest: What `neighbours` was computed from; None where that was dropped to save memory.
    """

    repeats: Ranking = NOTHING
    neighbours: Ranking = NOTHING
    total: Ranking = NOTHING
    newest: NewestItems | None = None

    @staticmethod
    def of(neighbours: Ranking, repeats: Ranking = NOTHING, newest: NewestItems | None = None) -> "HistoryBonus":
        """Adds up both parts."""
        return HistoryBonus(repeats, neighbours, sum_of(neighbours, repeats), newest)


NO_BONUS = HistoryBonus()


def sum_of(gains: Ranking, others: Ranking) -> Ranking:
    """Adds up two parts of a bonus. Their rows ascend, and so do those of the sum."""
    if not len(gains.rows) or not len(others.rows):
        return others if len(others.rows) else gains
    rows = np.concatenate((gains.rows, others.rows))
    order = rows.argsort(kind="stable")
    rows, scores = rows[order], np.concatenate((gains.scores, others.scores))[order]
    first = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
    return Ranking(rows[first], np.add.reduceat(scores, first))


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
    bought_again = Ranking(*repeat_scores(history, time, bundle.item_repeats, repeats or bundle.model.repeats))
    newest = newest_items_of(bundle, history)
    return HistoryBonus.of(neighbour_gains(bundle, newest, silent_rows), bought_again, newest)


def newest_items_of(bundle: Bundle, history: History) -> NewestItems | None:
    """Reads the neighbours of a user's newest items; None if the history or the bundle has none that count."""
    if not bundle.model.neighbours.weight or not len(history):
        return None
    return bundle.neighbours.of_newest(WeightedHistory.of(history, bundle.model.confidence).sequence)


def neighbour_gains(bundle: Bundle, newest: NewestItems | None, silent_rows: Rows = NO_ROWS) -> Ranking:
    """Computes what items gain as neighbours of a user's newest items.

    Args:
        bundle: The model.
        newest: From `newest_items_of`.
        silent_rows: Rows that gain nothing: gifts, and what the user dislikes.
    """
    if newest is None:
        return NOTHING
    rows, gains = newest.gains(bundle.model.neighbours)
    if not len(silent_rows):
        return Ranking(rows, gains)
    kept = ~np.isin(rows, silent_rows)
    return Ranking(rows[kept], gains[kept])


def gains_without(
    bundle: Bundle, newest: NewestItems, left_out_rows: Rows, rows: Rows, silent_rows: Rows = NO_ROWS
) -> Floats:
    """Computes what some items would gain as neighbours without each of some items of the history.

    Args:
        bundle: The model.
        newest: From `newest_items_of`.
        left_out_rows: The l items that are left out one by one.
        rows: The p items.
        silent_rows: See `neighbour_gains`.

    Returns:
        float32 (l, p).
    """
    gains = newest.gains_without(left_out_rows, rows, bundle.model.neighbours)
    if len(silent_rows):
        gains[:, np.isin(rows, silent_rows)] = 0
    return gains
