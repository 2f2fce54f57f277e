"""What is known of a user, fresh at every request: the record from Redis joined with the bundle, and the user vector.

Redis says at each request which version of the record holds. A state of that version that this process still has is
used as it is, so a warm request unpacks and computes nothing again; a vector older than its history is computed anew
and written back for the other processes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Event, EventType, History, Reason
from recsvc.errors import StoreUnavailable
from recsvc.explain.facts import Preferences
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import profile_text
from recsvc.model.towers.user import LeftOut, ProfileText
from recsvc.ranking import Ranking
from recsvc.runtime.batching import Batcher
from recsvc.runtime.metrics import USER_VECTORS
from recsvc.store import UserStore, hash_of
from recsvc.users.taste import disliked, silent_rows

# How many items of the history are left out in turn to find what moved a score: the ones bought last.
LEFT_OUT_ITEMS = 20


@dataclass
class UserState:
    """One user at one version of the record, as one catalogue knows their items.

    unknown_events: how many events are of items that it does not have; known_events: how many of those that it has.
    held_rows: distinct rows of the history. bought_rows, purchases: distinct rows that were bought, and how often.
    hidden_rows: distinct rows that the user hid and has not bought since: in no list.
    visit: what the user is viewing, or has in the cart, by row.
    disliked: what is taken from the user vector for what the user has said, of its length; None for nothing.
    about: what the profile says, without the names of its attributes.
    user_vector, left_out, preferences and mentioned, the words of categories in the profile, are filled in when first
    needed. repeats: the repeat scores of an hour, and explained: the reasons of some pages, by all that they depend on.
    """

    version: int
    catalogue: Catalogue
    history: History
    unknown_events: int
    profile: ProfileText | None
    held_rows: NDArray[np.int32]
    bought_rows: NDArray[np.int32]
    purchases: NDArray[np.int32]
    hidden_rows: NDArray[np.int32]
    disliked: NDArray[np.float32] | None = None
    user_vector: NDArray[np.float32] | None = None
    left_out: LeftOut | None = None
    preferences: Preferences | None = None
    about: str = ""
    mentioned: frozenset[int] | None = None
    known_events: int = 0
    visit: dict[int, EventType] = field(default_factory=dict)
    repeats: tuple[int, Ranking] | None = None
    explained: dict[Hashable, list[Reason | None]] = field(default_factory=dict)

    @property
    def personalised(self) -> bool:
        """Whether anything is known that could rank."""
        return len(self.history) > 0 or self.profile is not None or self.disliked is not None

    def rows_to_leave_out(self) -> NDArray[np.int32]:
        """In turn, ascending: the last LEFT_OUT_ITEMS different items that were bought, or that this visit is about."""
        told = self.history.purchases | np.isin(self.history.rows, list(self.visit))
        rows, places = np.unique(self.history.rows[told][::-1], return_index=True)
        return np.sort(rows[np.argsort(places)[:LEFT_OUT_ITEMS]])


def state_of(record: UserRecord, bundle: Bundle) -> UserState:
    """The state of a record; its vector too, when the record holds one."""
    catalogue = bundle.catalogue
    history = whole = history_of(record.events, catalogue)
    known_vector = record.user_vector if record.known_events == len(whole) else None
    if len(silent := silent_rows(record.taste, catalogue)):
        history = whole.select(~np.isin(whole.rows, silent))
    bought = history.select(history.purchases)
    # Lines of one order are one purchase: a shopper who bought twelve in one go bought once.
    orders = np.unique(np.stack((bought.rows.astype(np.int64), bought.timestamps)), axis=1)[0]
    bought_rows, purchases = np.unique(orders, return_counts=True)
    profile, about = None, ""
    if record.profile is not None and record.profile_embedding is not None:
        profile = ProfileText(profile_text(record.profile), record.profile_embedding)
        about = "\n".join((record.profile.text, *(value for _, value in record.profile.attributes)))
    return UserState(
        record.version,
        catalogue,
        history,
        len(record.events) - len(whole),
        profile,
        np.unique(whole.rows),
        bought_rows.astype(np.int32),
        purchases.astype(np.int32),
        _hidden_rows(whole),
        disliked(record.taste, bundle),
        known_vector,
        about=about,
        known_events=len(whole),
    )


def with_session_events(state: UserState, viewed: NDArray[np.int32], cart: NDArray[np.int32], time: int) -> UserState:
    """The state of the same user who has just viewed these rows, and put those into the cart. It has version 0, that of
    no record: nothing that is worked out from it is kept.
    """
    rows = np.concatenate((viewed, cart))
    types = np.repeat(np.array([EventType.VIEW, EventType.ADD_TO_CART], np.int8), (len(viewed), len(cart)))
    history = state.history
    # Not before what is known to have happened, whatever the clocks say.
    times = np.full(len(rows), max([time, *history.timestamps[-1:].tolist()]))
    longer = History(
        np.append(history.rows, rows),
        np.append(history.timestamps, times),
        np.append(history.event_types, types),
        np.append(history.quantities, np.ones(len(rows), np.float32)),
    )
    visit = {row: EventType(kind) for row, kind in zip(rows.tolist(), types.tolist(), strict=True)}
    return replace(state, version=0, history=longer, user_vector=None, left_out=None, explained={}, visit=visit)


def cart_as_history(state: UserState, cart: NDArray[np.int32], time: int) -> UserState:
    """The state of somebody of whom nothing is known but that they bought these rows now; kept as little as a visit."""
    n = len(cart)
    types = np.full(n, EventType.PURCHASE, np.int8)
    history = History(cart, np.full(n, time), types, np.ones(n, np.float32))
    return replace(state, version=0, history=history, profile=None, user_vector=None, left_out=None, explained={})


def _hidden_rows(history: History) -> NDArray[np.int32]:
    hidden = history.event_types == EventType.HIDE
    if not hidden.any():
        return history.rows[:0]
    # The last of hiding and buying decides.
    decisive = history.select(hidden | history.purchases)
    rows, last = np.unique(decisive.rows[::-1], return_index=True)
    return np.asarray(rows[decisive.event_types[::-1][last] == EventType.HIDE])


def history_of(events: Sequence[Event], catalogue: Catalogue) -> History:
    """The events whose items the catalogue has, as columns, in their order."""
    rows = [catalogue.row(event.item_id) for event in events]
    known = [(row, event) for row, event in zip(rows, events, strict=True) if row is not None]
    return History(
        np.array([row for row, _ in known], np.int32),
        np.array([event.timestamp for _, event in known], np.int64),
        np.array([event.event_type for _, event in known], np.int8),
        np.array([event.quantity for _, event in known], np.float32),
    )


@dataclass(slots=True)
class _Work:
    state: UserState
    left_out: bool


class UserStateCache:
    """Gives the state of any user; keeps the `size` used last.

    before: those of the same bundle with fewer items; what they keep is taken over.
    """

    def __init__(
        self, bundle: Bundle, store: UserStore, executor: Executor, size: int, before: "UserStateCache | None" = None
    ) -> None:
        self._bundle = bundle
        self._store = store
        self._tower = bundle.user_tower()
        self._complete = Batcher(self._compute, executor)
        self._size = size
        self._erasures = 0
        # ServingResources with those before: requests that began with them may still be running.
        self._kept: OrderedDict[str, UserState] = before._kept if before else OrderedDict()
        self._write_backs: set[asyncio.Task[None]] = before._write_backs if before else set()

    async def known(self, user_id: str) -> tuple[UserState, bool]:
        """The user as Redis has them now, and True; with Redis away, as this process saw them last, and False."""
        kept = self._kept.get(user_id)
        if kept is not None and kept.unknown_events and kept.catalogue is not self._bundle.catalogue:
            kept = None  # the catalogue may know those items by now
        erasures = self._erasures
        try:
            record = await self._store.read(user_id, self._bundle.bundle_id, kept.version if kept else None)
        except StoreUnavailable:
            return kept or state_of(UserRecord(user_id), self._bundle), False
        state = kept if record is None and kept is not None else state_of(record or UserRecord(user_id), self._bundle)
        if erasures != self._erasures:
            return state, True  # of whom we asked may have been erased since: not kept
        self._kept[user_id] = state
        self._kept.move_to_end(user_id)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return state, True

    async def passing(self, user_id: str) -> UserState:
        """A user as Redis has them, with the vector, who is looked at once among many others: nothing of it is kept.

        Raises StoreUnavailable.
        """
        record = await self._store.read(user_id, self._bundle.bundle_id)
        state = state_of(record or UserRecord(user_id), self._bundle)
        if state.user_vector is None:
            await self._complete(_Work(state, left_out=False))
        return state

    async def complete(self, user_id: str, state: UserState, left_out: bool) -> NDArray[np.float32]:
        """The user vector of a state, float32 (d,); when `left_out`, fills that in as well."""
        vector, has_left_out = state.user_vector, state.left_out is not None or not left_out
        if vector is not None and has_left_out:
            USER_VECTORS.labels("process" if state.left_out is not None else "redis").inc()
            return vector
        await self._complete(_Work(state, left_out))
        if vector is not None:
            USER_VECTORS.labels("redis").inc()
            return vector
        USER_VECTORS.labels("computed").inc()
        computed = state.user_vector
        assert computed is not None  # noqa: S101  the worker fills it in or raises
        if state.version:
            task = asyncio.create_task(self._write_back(user_id, state, computed))
            self._write_backs.add(task)
            task.add_done_callback(self._write_backs.discard)
        return computed

    def forget(self, hashes: Set[int]) -> None:
        """Drops what is kept of erased users, who are told by `recsvc.store.hash_of`."""
        self._erasures += 1
        for user_id in [user_id for user_id in self._kept if hash_of(user_id) in hashes]:
            del self._kept[user_id]

    async def close(self) -> None:
        """Waits for the vectors that are being written back."""
        await asyncio.gather(*self._write_backs)

    async def _write_back(self, user_id: str, state: UserState, vector: NDArray[np.float32]) -> None:
        bundle_id = self._bundle.bundle_id
        try:
            await self._store.put_user_vector(user_id, bundle_id, state.version, state.known_events, vector)
        except StoreUnavailable:
            return  # the next request computes it again; the store has counted the failure

    def _compute(self, works: list[_Work]) -> list[None]:
        missing = [work.state for work in works if work.state.user_vector is None]
        if missing:
            vectors = self._tower.user_vectors([s.history for s in missing], [s.profile for s in missing])
            for state, vector in zip(missing, vectors, strict=True):
                state.user_vector = _without(vector, state.disliked)
        for work in works:
            state = work.state
            if work.left_out and state.left_out is None:
                left_out = self._tower.left_out(state.history, state.profile, state.rows_to_leave_out())
                if state.disliked is not None:
                    vectors, alone = left_out.vectors, left_out.without_profile
                    alone = _without(alone, state.disliked) if alone is not None else None
                    left_out = LeftOut(left_out.rows, _without(vectors, state.disliked), alone)
                state.left_out = left_out
        return [None] * len(works)


def _without(vectors: NDArray[np.float32], disliked: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """User vectors, (d,) or (m, d), without what the user wants to see less of, in proportion to their length."""
    if disliked is None:
        return vectors
    return np.asarray(vectors + disliked * np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)
