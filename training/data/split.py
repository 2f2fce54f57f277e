"""What is learned from and what is held out: by time, or each user's last purchase."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.shop import History
from recsvc.model.towers.user import ProfileText
from training.data.interactions import Interactions

# Of all purchases, the share that buys again what the user has; with less, a shop is one where nobody does.
FEW_REPEATS = 0.01

Protocol = Literal["time-split", "leave-one-out"]


@dataclass(frozen=True)
class Holdout:
    """Users whose next purchases are known but hidden.

    users: int (h,), indices into the interactions' user_ids. histories: what is known of each before. targets: for
    each the distinct rows bought after. time: microseconds, when the lists are shown. exclude_history: whether what the
    user already bought is left out of every list.
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
        return np.unique(history.rows[history.purchases])

    def select(self, chosen: NDArray[np.intp]) -> "Holdout":
        return Holdout(
            self.users[chosen],
            [self.histories[i] for i in chosen],
            [self.targets[i] for i in chosen],
            self.time,
            self.exclude_history,
        )

    def without_histories(self) -> "Holdout":
        """The same users as if nothing of them were known but a profile."""
        return replace(self, histories=[History.empty()] * len(self))

    def sample(self, size: int, seed: int) -> "Holdout":
        """At most `size` users, chosen by seed."""
        if len(self) <= size:
            return self
        return self.select(np.sort(np.random.default_rng(seed).choice(len(self), size, replace=False)))


@dataclass(frozen=True)
class Profiles:
    """What is known of each user of a holdout beside events: None for one without a profile."""

    texts: list[ProfileText | None]

    def hidden(self) -> "Profiles":
        return Profiles([None] * len(self.texts))


@dataclass(frozen=True)
class Split:
    """train: to learn from. validation: to tune and stop by. known: train and validation together, what a model may be
    refitted on. test: to report. The holdouts' histories are everything before their targets, cut to history_length.
    """

    protocol: Protocol
    train: Interactions
    validation: Holdout
    known: Interactions
    test: Holdout


def time_split(interactions: Interactions, days: int, history_length: int) -> Split:
    """The last `days` are test, the same span before is validation. Buying again counts, unless next to nobody does:
    then what a user has is left out, for every model.

    Raises ValueError when the events span too little time for that.
    """
    last, span = int(interactions.timestamps.max()), days * MICROSECONDS_A_DAY
    test_start, validation_start = last - span, last - 2 * span
    train = interactions.select(interactions.timestamps <= validation_start)
    known = interactions.select(interactions.timestamps <= test_start)
    if not train.purchases.any():
        raise ValueError(f"the events span less than {2 * days} days and nothing is left to train on: use fewer days")
    between = (interactions.timestamps > validation_start) & (interactions.timestamps <= test_start)
    later = interactions.timestamps > test_start
    exclude_history = _repeat_share(train) < FEW_REPEATS
    return Split(
        "time-split",
        train,
        next_purchases(train, interactions.select(between), validation_start, history_length, exclude_history),
        known,
        next_purchases(known, interactions.select(later), test_start, history_length, exclude_history),
    )


def leave_one_out(interactions: Interactions, history_length: int) -> Split:
    """Each user's last purchase is test, the last but one validation; users with fewer than 3 are only learned from.
    Ties in time keep the file's order, as the published protocol does. What a user has is masked.

    Raises ValueError when no user has enough purchases.
    """
    purchases = np.flatnonzero(interactions.purchases)
    users = interactions.users[purchases]
    from_end = np.concatenate([np.arange(n)[::-1] for n in np.bincount(users, minlength=len(interactions.user_ids))])
    enough = np.bincount(users, minlength=len(interactions.user_ids))[users] >= 3
    if not enough.any():
        raise ValueError("no user has the 3 purchases that it takes: use time-split")
    test, validation = purchases[(from_end == 0) & enough], purchases[(from_end == 1) & enough]
    place = np.arange(len(interactions))
    end = np.full(len(interactions.user_ids), len(interactions))
    end[interactions.users[test]] = test
    known = interactions.select(place < end[interactions.users])
    end[interactions.users[validation]] = validation
    train = interactions.select(place < end[interactions.users])
    return Split(
        "leave-one-out",
        train,
        _last_one(train, interactions, validation, history_length),
        known,
        _last_one(known, interactions, test, history_length),
    )


def _repeat_share(interactions: Interactions) -> float:
    """Two lines of one order are one purchase: who bought two at once did not come back for it."""
    bought = interactions.select(interactions.purchases)
    pairs = bought.users.astype(np.int64) * bought.n_items + bought.rows
    order = np.lexsort((bought.timestamps, pairs))
    pairs, times = pairs[order], bought.timestamps[order]
    purchases = int(np.count_nonzero((np.diff(pairs) != 0) | (np.diff(times) != 0))) + 1
    return 1.0 - len(np.unique(pairs)) / purchases


def shuffled_ties(interactions: Interactions, seed: int) -> Interactions:
    """The same events with those of one user and day in random order. Where the source knows days alone, the file's
    order within one may be no order of purchases, and a leave-one-out split would learn and test its accidents.
    """
    days = interactions.timestamps // MICROSECONDS_A_DAY
    chance = np.random.default_rng(seed).random(len(days))
    order = np.lexsort((chance, days, interactions.users))
    return replace(
        interactions,
        rows=interactions.rows[order],
        timestamps=interactions.timestamps[order],
        event_types=interactions.event_types[order],
        quantities=interactions.quantities[order],
    )


def next_purchases(
    before: Interactions, after: Interactions, time: int, history_length: int, exclude_history: bool = False
) -> Holdout:
    """Whoever bought something after a time, microseconds, and what was known of them before."""
    after = after.select(after.purchases)
    users = np.flatnonzero(np.diff(after.offsets))
    histories = [before.history(user, history_length) for user in users]
    targets = [np.unique(after.history(user).rows) for user in users]
    return Holdout(users, histories, targets, time, exclude_history)


def _last_one(before: Interactions, all_events: Interactions, held: NDArray[np.intp], history_length: int) -> Holdout:
    users = all_events.users[held].astype(np.intp)
    histories = [before.history(user, history_length) for user in users]
    time = int(all_events.timestamps.max())
    return Holdout(users, histories, [all_events.rows[i : i + 1] for i in held], time, exclude_history=True)
