"""Loads the state of a user at every request, and computes the user vector.

Each request asks Redis for the version of the record. If this process has a state of that version, it is used as it
is, so a warm request unpacks and computes nothing. A vector older than its history is computed again and written back
for the other processes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Set
from concurrent.futures import Executor
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from recsvc.domain.arrays import MICROSECONDS_AN_HOUR, Floats, Rows
from recsvc.domain.records import UserRecord
from recsvc.errors import StoreUnavailable
from recsvc.model.bundle import Bundle
from recsvc.model.towers.user import LeftOut, UserTower
from recsvc.runtime.batching import Batcher
from recsvc.runtime.metrics import USER_VECTORS
from recsvc.runtime.tracing import span
from recsvc.store import UserStore, hash_of
from recsvc.users.user_state import UserState, state_of, with_session_events

# Visits that are kept, those that asked last. Each has the vectors that explain its lists, some 30 kB.
VISITS_KEPT = 1_000


@dataclass(slots=True)
class UserVectors:
    """The vectors that the user tower computed for one state. Each is computed when it is first needed.

    Attributes:
        user_vector: float32 (d,).
        left_out: The user vectors without each of `UserState.rows_to_leave_out`, and without the profile.
    """

    user_vector: Floats | None = None
    left_out: LeftOut | None = None


@dataclass(slots=True)
class _Work:
    tower: UserTower
    state: UserState
    vectors: UserVectors
    left_out: bool


@dataclass(frozen=True, slots=True)
class _Visit:
    """A user in a visit.

    Attributes:
        key: What the visit consists of.
        state: With the items of the visit.
    """

    key: tuple[bytes, bytes, int]
    state: UserState


@dataclass(slots=True)
class _Memory:
    """What the caches of one bundle share: requests that began with an earlier one may still be running.

    Attributes:
        batcher: Computes vectors. It refers to no cache, so that one that nobody uses is freed at once.
        states: By user id, the least recently used first.
        visits: By user id, the least recently used first.
        vectors: By state.
        write_backs: Vectors that are being written to Redis.
        erasures: How often users were erased.
    """

    batcher: Batcher[_Work, None]
    states: OrderedDict[str, UserState] = field(default_factory=OrderedDict)
    visits: OrderedDict[str, _Visit] = field(default_factory=OrderedDict)
    vectors: WeakKeyDictionary[UserState, UserVectors] = field(default_factory=WeakKeyDictionary)
    write_backs: set[asyncio.Task[None]] = field(default_factory=set)
    erasures: int = 0


class UserStateCache:
    """Returns the state of any user, and keeps the most recently used ones.

    Args:
        bundle: Its towers compute the vectors.
        store: Holds the records.
        executor: Runs the towers.
        size: How many states are kept.
        memory: Of the cache for the same bundle with fewer items; None for an empty one.
    """

    def __init__(
        self, bundle: Bundle, store: UserStore, executor: Executor, size: int, memory: _Memory | None = None
    ) -> None:
        self._bundle = bundle
        self._store = store
        self._executor = executor
        self._size = size
        self._tower = bundle.user_tower()
        self._memory = memory or _Memory(Batcher(_compute, executor))

    @property
    def kept_users(self) -> int:
        """How many users are kept."""
        return len(self._memory.states)

    def with_bundle(self, bundle: Bundle) -> "UserStateCache":
        """Returns the cache of the same bundle with more items. They share what they keep."""
        return UserStateCache(bundle, self._store, self._executor, self._size, self._memory)

    async def get(self, user_id: str) -> tuple[UserState, bool]:
        """Returns a user as Redis has them now, and True; without Redis, as this process saw them last, and False."""
        memory = self._memory
        kept = memory.states.get(user_id)
        if kept is not None and not self._fits(kept):
            kept = None
        erasures = memory.erasures
        try:
            record = await self._store.read(user_id, self._bundle.bundle_id, kept.version if kept else None)
        except StoreUnavailable:
            return kept or state_of(UserRecord(user_id), self._bundle), False
        if record is None and kept is not None:
            state = kept
        else:
            state = state_of(record or UserRecord(user_id), self._bundle, memory.states.get(user_id))
        if erasures != memory.erasures:
            return state, True  # this user may have been erased meanwhile: not kept
        memory.states[user_id] = state
        memory.states.move_to_end(user_id)
        while len(memory.states) > self._size:
            memory.states.popitem(last=False)
        return state, True

    def in_visit(self, user_id: str, state: UserState, viewed: Rows, cart: Rows, now: int) -> UserState:
        """Returns the state of a user who has just viewed some items and put others into the cart.

        The lists of one page, and of the same page within the hour, share it with everything that is computed from it.

        Args:
            user_id: Of the user.
            state: Of the user without this visit.
            viewed: Rows, oldest first.
            cart: Rows, oldest first.
            now: Microseconds since 1970 UTC.
        """
        key = viewed.tobytes(), cart.tobytes(), now // MICROSECONDS_AN_HOUR
        visits = self._memory.visits
        visit = visits.get(user_id)
        if visit is None or visit.key != key or visit.state.base is not state:
            visit = _Visit(key, with_session_events(state, viewed, cart, now))
        if self._memory.states.get(user_id) is state:  # else the user may have been erased meanwhile
            visits[user_id] = visit
            visits.move_to_end(user_id)
            while len(visits) > VISITS_KEPT:
                visits.popitem(last=False)
        return visit.state

    def _fits(self, state: UserState) -> bool:
        """Returns whether a state that was made with the items of another cache holds for the items of this one."""
        version = self._bundle.catalogue.version
        # A state of later items may have rows that this cache's vectors lack.
        return state.catalogue_version == version or (state.catalogue_version < version and not state.follows_catalogue)

    async def load_uncached(self, user_id: str) -> tuple[UserState, Floats]:
        """Returns a user as Redis has them now, with the user vector; keeps nothing. For a pass over many users.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        record = await self._store.read(user_id, self._bundle.bundle_id)
        state = state_of(record or UserRecord(user_id), self._bundle)
        vectors = UserVectors(state.stored_vector)
        if vectors.user_vector is None:
            await self._memory.batcher.submit(_Work(self._tower, state, vectors, left_out=False))
        assert vectors.user_vector is not None  # noqa: S101  the batch computes it or raises
        return state, vectors.user_vector

    async def ensure_vector(self, user_id: str, state: UserState) -> Floats:
        """Returns the user vector of a state, float32 (d,)."""
        return (await self._ensure(user_id, state, left_out=False))[0]

    async def ensure_left_out(self, user_id: str, state: UserState) -> tuple[Floats, LeftOut]:
        """Returns the user vector of a state, float32 (d,), and the vectors that explain it."""
        vector, left_out = await self._ensure(user_id, state, left_out=True)
        assert left_out is not None  # noqa: S101  the batch computes it or raises
        return vector, left_out

    def forget(self, hashes: Set[int]) -> None:
        """Drops the states of erased users. hashes: of their ids, by `recsvc.store.hash_of`."""
        self._memory.erasures += 1
        for kept in (self._memory.states, self._memory.visits):
            for user_id in [user_id for user_id in kept if hash_of(user_id) in hashes]:
                del kept[user_id]

    async def close(self) -> None:
        """Waits for the vectors that are being written back."""
        await asyncio.gather(*self._memory.write_backs)

    async def _ensure(self, user_id: str, state: UserState, *, left_out: bool) -> tuple[Floats, LeftOut | None]:
        vectors = self._memory.vectors.get(state)
        if vectors is None:
            vectors = self._memory.vectors[state] = UserVectors(state.stored_vector)
        stored = vectors.user_vector
        if stored is not None and (vectors.left_out is not None or not left_out):
            USER_VECTORS.labels("process" if vectors.left_out is not None else "redis").inc()
            return stored, vectors.left_out
        with span("user_vector"):
            await self._memory.batcher.submit(_Work(self._tower, state, vectors, left_out))
        if stored is not None:
            USER_VECTORS.labels("redis").inc()
            return stored, vectors.left_out
        USER_VECTORS.labels("computed").inc()
        computed = vectors.user_vector
        assert computed is not None  # noqa: S101  the batch computes it or raises
        if state.cacheable:
            task = asyncio.create_task(self._write_back(user_id, state, computed))
            self._memory.write_backs.add(task)
            task.add_done_callback(self._memory.write_backs.discard)
        return computed, vectors.left_out

    async def _write_back(self, user_id: str, state: UserState, vector: Floats) -> None:
        bundle_id = self._bundle.bundle_id
        try:
            await self._store.put_user_vector(user_id, bundle_id, state.version, state.known_events, vector)
        except StoreUnavailable:
            return  # the next request computes it again; the store has counted the failure


def _compute(works: list[_Work]) -> list[None]:
    """Computes the missing vectors of one batch, in the executor. The towers of different items may differ."""
    missing: dict[UserTower, list[_Work]] = {}
    for tower in {work.tower for work in works}:
        tower.read_profiles(work.state.profile for work in works if work.tower is tower)
    for work in works:
        if work.left_out and work.vectors.left_out is None:
            left_out = work.vectors.left_out = _left_out(work.tower, work.state)
            if work.vectors.user_vector is None:
                work.vectors.user_vector = left_out.complete
        elif work.vectors.user_vector is None:
            missing.setdefault(work.tower, []).append(work)
    for tower, own in missing.items():
        states = [work.state for work in own]
        computed = tower.user_vectors([s.history for s in states], [s.profile for s in states])
        for work, vector in zip(own, computed, strict=True):
            work.vectors.user_vector = _without_disliked(vector, work.state.disliked)
    return [None] * len(works)


def _left_out(tower: UserTower, state: UserState) -> LeftOut:
    left_out = tower.left_out(state.history, state.profile, state.rows_to_leave_out())
    if state.disliked is None:
        return left_out
    without_profile = left_out.without_profile
    if without_profile is not None:
        without_profile = _without_disliked(without_profile, state.disliked)
    complete, vectors = (_without_disliked(v, state.disliked) for v in (left_out.complete, left_out.vectors))
    return LeftOut(complete, left_out.rows, vectors, without_profile)


def _without_disliked(vectors: Floats, disliked: Floats | None) -> Floats:
    """Returns user vectors, (d,) or (m, d), moved away from what the user dislikes, in proportion to their length."""
    if disliked is None:
        return vectors
    return np.asarray(vectors + disliked * np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)
