"""The repeat bonus of a user: what each bought item gains in score for the chance that it is bought again.

It depends on the history and the hour alone, so it is kept by state until the hour changes.
"""

from weakref import WeakKeyDictionary

from recsvc.domain.arrays import MICROSECONDS_AN_HOUR
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.ranking import NOTHING, Ranking
from recsvc.users.user_state import UserState


class RepeatBonus:
    """Computes the repeat bonus by the rates of one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self._items = bundle.item_repeats
        self._config = bundle.model.repeats
        self._kept: WeakKeyDictionary[UserState, tuple[int, Ranking]] = WeakKeyDictionary()

    def of(self, state: UserState, now: int) -> Ranking:
        """Ascending rows and the bonus of each, in score units. now: microseconds since 1970 UTC."""
        if not len(state.bought_rows):
            return NOTHING
        state = state.base or state  # a visit buys nothing
        hour = now // MICROSECONDS_AN_HOUR
        kept = self._kept.get(state)
        if kept is None or kept[0] != hour:
            kept = self._kept[state] = hour, Ranking(*repeat_scores(state.history, now, self._items, self._config))
        return kept[1]
