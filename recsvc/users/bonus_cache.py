"""Keeps what each user's history adds to the inner products, so that a warm request computes nothing.

The repeat bonus depends on the purchases and the hour, the gains of neighbours on the history and the visit.
"""

from dataclasses import replace
from weakref import WeakKeyDictionary

from recsvc.domain.arrays import MICROSECONDS_AN_HOUR
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import HistoryBonus, neighbour_gains, newest_items_of
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.ranking import NOTHING, Ranking
from recsvc.users.user_state import UserState


class BonusCache:
    """Computes and keeps the bonuses of one bundle, by the state of the user.

    The neighbours of the newest items are ten times as large as the gains. So the answer that computed them has them,
    and what is kept has not.
    """

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
        if kept is not None and kept[0] == hour:
            return kept[1]
        own = self.neighbours(state)
        bonus = HistoryBonus.of(own.neighbours, self._repeats(state, now), own.newest)
        self._kept[state] = hour, replace(bonus, newest=None)
        return bonus

    def neighbours(self, state: UserState) -> HistoryBonus:
        """Returns what the neighbours of a user's newest items add alone. What they dislike gains nothing."""
        kept = self._kept_gains.get(state)
        if kept is not None:
            return HistoryBonus.of(kept)
        newest = newest_items_of(self._bundle, state.history)
        gains = self._kept_gains[state] = neighbour_gains(self._bundle, newest, state.silent_rows)
        return HistoryBonus.of(gains, newest=newest)

    def _repeats(self, state: UserState, now: int) -> Ranking:
        if not len(state.bought_rows):
            return NOTHING
        if state.base is not None:  # viewing and adding to the cart are not purchases
            return self.of(state.base, now).repeats
        return Ranking(*repeat_scores(state.history, now, self._items, self._bundle.model.repeats))
