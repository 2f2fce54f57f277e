"""What a history adds to the inner products: one function for serving, evaluation and the checks of reasons."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Rows
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
        return total_of((self.repeats, self.neighbours))


NO_BONUS = HistoryBonus()


def total_of(parts: tuple[Ranking, ...]) -> Ranking:
    """Adds up gains. Rows of each part ascend, and so do those of the total."""
    parts = tuple(part for part in parts if len(part.rows))
    if len(parts) < 2:  # noqa: PLR2004  two are added
        return parts[0] if parts else NOTHING
    rows, places = np.unique(np.concatenate([part.rows for part in parts]), return_inverse=True)
    gains = np.bincount(places, np.concatenate([part.scores for part in parts]), len(rows))
    return Ranking(rows, gains.astype(np.float32))


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
        silent_rows: Ascending rows that gain nothing: what the user dislikes, and gifts.
    """
    sequence = WeightedHistory.of(history, bundle.model.confidence).sequence
    gains = bundle.neighbours.of_history(sequence, bundle.model.neighbours)
    if not len(silent_rows) or not len(gains.rows):
        return gains
    kept = ~np.isin(gains.rows, silent_rows)
    return Ranking(gains.rows[kept], gains.scores[kept])
