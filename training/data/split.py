"""Splits interactions into events to learn from and purchases to predict: by time, or each user's last purchases."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.shop import History
from recsvc.model.towers.user import ProfileText
from training.data.interactions import Interactions

# Of all purchases, the share in which a user buys an item again. Below it, the shop counts as one without repeats.
MIN_REPEAT_SHARE = 0.01
MIN_PURCHASES = 3  # of a user, to be held out by leave_one_out: one to learn from, one for validation, one for test

MIN_LEARNED_PURCHASES = 10  # with fewer, there is nothing to learn

Protocol = Literal["time-split", "leave-one-out", "none"]


@dataclass(frozen=True)
class Holdout:
    """Users whose next purchases are hidden from a model, to see whether it finds them.

    Attributes:
        users: int (h,), indices into the `user_ids` of the interactions.
        histories: The events of each user before the hidden purchases.
        targets: For each user the distinct rows of the hidden purchases.
        time: When the lists are shown, in microseconds since 1970 UTC.
        exclude_history: Whether items that the user has bought, also those sent back, are left out of every list.
    """

    users: NDArray[np.intp]
    histories: list[History]
    targets: list[NDArray[np.int32]]
    time: int
    exclude_history: bool

    def __len__(self) -> int:
        return len(self.users)

    def excluded(self, i: int) -> NDArray[np.int32]:
        """The rows that may not be in the i-th user's list."""
        history = self.histories[i]
        if not self.exclude_history:
            return history.rows[:0]
        return np.unique(history.rows[history.all_purchases])

    def select(self, chosen: NDArray[np.intp]) -> "Holdout":
        """The users at these places."""
        return Holdout(
            self.users[chosen],
            [self.histories[i] for i in chosen],
            [self.targets[i] for i in chosen],
            self.time,
            self.exclude_history,
        )

    def without_histories(self) -> "Holdout":
        """The same users with empty histories, as if only their profile were known."""
        return replace(self, histories=[History.empty()] * len(self))

    def sample(self, size: int, seed: int) -> "Holdout":
        """At most `size` users, chosen by seed."""
        if len(self) <= size:
            return self
        return self.select(np.sort(np.random.default_rng(seed).choice(len(self), size, replace=False)))


@dataclass(frozen=True)
class Profiles:
    """The profiles of the users of a holdout.

    Attributes:
        texts: In the order of the users; None for a user without a profile.
    """

    texts: list[ProfileText | None]

    def hidden(self) -> "Profiles":
        """The same users, all without a profile."""
        return Profiles([None] * len(self.texts))


@dataclass(frozen=True)
class Split:
    """The parts of a shop's events.

    The histories of a holdout are all events before its targets, cut to the newest `history_length` of each room
    (`recsvc.domain.history_rooms`).

    Attributes:
        protocol: How the events were split. "none" where nothing can be learned: the train part has all events.
        train: To learn from.
        validation: To tune, and to stop training.
        train_and_validation: Both together; a model may be refitted on them.
        test: To report.
    """

    protocol: Protocol
    train: Interactions
    validation: Holdout
    train_and_validation: Interactions
    test: Holdout


def nothing_to_learn(interactions: Interactions) -> str | None:
    """Why a model cannot learn from these events; None if it can. Purchases that were sent back do not count."""
    bought = interactions.purchases
    n = int(bought.sum())
    if not interactions.all_purchases.any():
        return "there is no purchase"
    if n < MIN_LEARNED_PURCHASES:
        return f"the purchases that were not returned are {n:,}, and learning takes at least {MIN_LEARNED_PURCHASES}"
    if len(np.unique(interactions.rows[bought])) == 1:
        return "all purchases are of one item"
    if len(np.unique(interactions.users[bought])) == 1:
        return "all purchases are by one user"
    return None


def no_split(interactions: Interactions) -> Split:
    """Everything in the train part, nobody in validation and test."""
    nobody = Holdout(np.empty(0, np.intp), [], [], interactions.end, exclude_history=False)
    return Split("none", interactions, nobody, interactions, nobody)


def time_split(interactions: Interactions, days: int, history_length: int) -> Split:
    """The last `days` are test, and the same span before them is validation.

    Repeated purchases count as targets. In a shop with almost none, items that a user has bought are left out of the
    lists of every model.

    Raises:
        ValueError: The events span too little time, or nobody buys in validation or test.
    """
    last, span = interactions.end, days * MICROSECONDS_A_DAY
    test_start, validation_start = last - span, last - 2 * span
    train = interactions.select(interactions.timestamps <= validation_start)
    before_test = interactions.select(interactions.timestamps <= test_start)
    if not train.purchases.any():
        raise ValueError(f"nobody buys anything before the last {2 * days:,} days, which are validation and test")
    between = (interactions.timestamps > validation_start) & (interactions.timestamps <= test_start)
    later = interactions.timestamps > test_start
    exclude_history = _repeat_share(train) < MIN_REPEAT_SHARE
    for name, part in (("validation", interactions.select(between)), ("test", interactions.select(later))):
        if not part.purchases.any():
            raise ValueError(f"nobody buys anything in the {days:,} days of {name}")
    return Split(
        "time-split",
        train,
        next_purchases(
            train, interactions.select(between), validation_start, history_length, exclude_history=exclude_history
        ),
        before_test,
        next_purchases(
            before_test, interactions.select(later), test_start, history_length, exclude_history=exclude_history
        ),
    )


def leave_one_out(interactions: Interactions, history_length: int) -> Split:
    """The last purchase of each user is test, and the one before it is validation.

    Users with fewer than MIN_PURCHASES are only learned from. Ties in time keep the order of the file, as in the
    published protocol. Items that a user has bought are left out of the lists.

    Raises:
        ValueError: No user has enough purchases.
    """
    purchases = np.flatnonzero(interactions.purchases)
    users = interactions.users[purchases]
    from_end = np.concatenate([np.arange(n)[::-1] for n in np.bincount(users, minlength=len(interactions.user_ids))])
    enough = np.bincount(users, minlength=len(interactions.user_ids))[users] >= MIN_PURCHASES
    if not enough.any():
        raise ValueError(f"no user has {MIN_PURCHASES} purchases")
    test, validation = purchases[(from_end == 0) & enough], purchases[(from_end == 1) & enough]
    place = np.arange(len(interactions))
    end = np.full(len(interactions.user_ids), len(interactions))
    end[interactions.users[test]] = test
    before_test = interactions.select(place < end[interactions.users])
    end[interactions.users[validation]] = validation
    train = interactions.select(place < end[interactions.users])
    return Split(
        "leave-one-out",
        train,
        _last_purchases(train, interactions, validation, history_length),
        before_test,
        _last_purchases(before_test, interactions, test, history_length),
    )


def _repeat_share(interactions: Interactions) -> float:
    """The share of purchases in which a user buys an item again, at another time.

    Two lines of one order are one purchase: a user who bought two at once did not come back.
    """
    bought = interactions.select(interactions.purchases)
    pairs = bought.users.astype(np.int64) * bought.n_items + bought.rows
    order = np.lexsort((bought.timestamps, pairs))
    pairs, times = pairs[order], bought.timestamps[order]
    purchases = int(np.count_nonzero((np.diff(pairs) != 0) | (np.diff(times) != 0))) + 1
    return 1.0 - len(np.unique(pairs)) / purchases


def shuffled_ties(interactions: Interactions, seed: int) -> Interactions:
    """The same events, with those of each user and day in random order.

    Where the source has only days, the order within a day may not be the order of the purchases. A leave-one-out split
    would then learn and test an accident of the file.
    """
    days = interactions.timestamps // MICROSECONDS_A_DAY
    random_order = np.random.default_rng(seed).random(len(days))
    order = np.lexsort((random_order, days, interactions.users))
    return replace(
        interactions,
        rows=interactions.rows[order],
        timestamps=interactions.timestamps[order],
        event_types=interactions.event_types[order],
        quantities=interactions.quantities[order],
    )


def next_purchases(
    before: Interactions, after: Interactions, time: int, history_length: int, *, exclude_history: bool = False
) -> Holdout:
    """The users who bought something in `after`, with their histories from `before`.

    Args:
        before: The events before the time.
        after: The events after it; only purchases are targets.
        time: Microseconds since 1970 UTC.
        history_length: Events of a history in each room (`recsvc.domain.history_rooms`), at most; the newest are kept.
        exclude_history: Whether items that a user has bought are left out of every list.
    """
    after = after.select(after.purchases)
    users = np.flatnonzero(np.diff(after.offsets))
    histories = [before.history(int(user), history_length) for user in users]
    targets = [np.unique(after.history(int(user)).rows) for user in users]
    return Holdout(users, histories, targets, time, exclude_history)


def _last_purchases(
    before: Interactions, all_events: Interactions, targets: NDArray[np.intp], history_length: int
) -> Holdout:
    users = all_events.users[targets].astype(np.intp)
    histories = [before.history(user, history_length) for user in users]
    time = all_events.end
    return Holdout(users, histories, [all_events.rows[i : i + 1] for i in targets], time, exclude_history=True)
