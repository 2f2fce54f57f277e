"""Keeps what each user's history adds to the inner products, so that a warm request computes nothing.

The repeat bonus depends on the purchases and the hour, the gains of neighbours on the history and the visit.
"""

from weakref import WeakKeyDictionary

from recsvc.domain.arrays import MICROSECONDS_AN_HOUR
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import HistoryBonus, neighbour_gains
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.ranking import NOTHING, Ranking
from recsvc.users.user_state import UserState


class BonusCache:
    """Computes and keeps the bonuses of one bundle, by the state of the user."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._items = bundle.item_repeats
        self._kept: WeakKeyDictionary[UserState, tuple[int, HistoryBonus]] = WeakKeyDictionary()
        self._kept_gains: WeakKeyDictionary[UserState, Ranking] = WeakKeyDictionary()

    def of(self, state: UserState, now: int) -> HistoryBonus:
        """Returns what a user's history and visit add.

        Args:
            state: Of the user.
            now: Microseconds since 1970 UTC.
        """
        hour = now // MICROSECONDS_AN_HOUR
        kept = self._kept.get(state)
        if kept is None or kept[0] != hour:
            kept = self._kept[state] = hour, HistoryBonus(self._repeats(state, now), self.gains(state))
        return kept[1]

    def gains(self, state: UserState) -> Ranking:
        """Returns what the neighbours of a user's newest items gain. What they dislike gains nothing."""
        kept = self._kept_gains.get(state)
        if kept is None:
            kept = self._kept_gains[state] = neighbour_gains(self._bundle, state.history, state.silent_rows)
        return kept

    def _repeats(self, state: UserState, now: int) -> Ranking:
        if not len(state.bought_rows):
            return NOTHING
        if state.base is not None:  # viewing and adding to the cart are not purchases
            return self.of(state.base, now).repeats
        return Ranking(*repeat_scores(state.history, now, self._items, self._bundle.model.repeats))
