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
        self._kept_repeats: WeakKeyDictionary[UserState, tuple[int, Ranking]] = WeakKeyDictionary()
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
            bonus = HistoryBonus(self._repeats(state.base or state, now, hour), self.gains(state))
            kept = self._kept[state] = hour, bonus
        return kept[1]

    def gains(self, state: UserState) -> Ranking:
        """Returns what the neighbours of a user's newest items gain. What they dislike gains nothing."""
        kept = self._kept_gains.get(state)
        if kept is None:
            kept = self._kept_gains[state] = neighbour_gains(self._bundle, state.history, state.silent_rows)
        return kept

    def _repeats(self, state: UserState, now: int, hour: int) -> Ranking:
        """Returns the repeat bonus of a state without a visit: to view or to add to the cart is not to buy."""
        if not len(state.bought_rows):
            return NOTHING
        kept = self._kept_repeats.get(state)
        if kept is None or kept[0] != hour:
            repeats = Ranking(*repeat_scores(state.history, now, self._items, self._bundle.model.repeats))
            kept = self._kept_repeats[state] = hour, repeats
        return kept[1]

