"""Decides which call counts a new event, so that an event that is sent again counts once everywhere.

A call claims an event in Redis before it writes the event to the history. The call that holds the claim counts the
event. If the answer of Redis is lost, the caller sends the event again. The second call finds the claim of the first
call and does not count. The first call asks again in the background until it knows which events to count.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from recsvc.domain.shop import Event
from recsvc.errors import StoreUnavailable
from recsvc.runtime.work_queue import WorkQueue
from recsvc.store import keys, scripts
from recsvc.store.connection import RedisClient, operation
from recsvc.store.history import Entry
from recsvc.store.people_counts import counted_events
from recsvc.store.popularity import PopularityStore
from recsvc.store.scripts import ScriptCall

# A claim is kept for an hour after the user's last event, and for the newest 1,024 events of the user: callers send an
# event again within minutes, and a history recognises its events for longer.
CLAIM_SECONDS = 3_600
CLAIMED_EVENTS = 1_024
_CLAIM_BYTES = 12
_LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class NewEvents:
    """Events of one user that the history does not have.

    Attributes:
        user_id: The user.
        history: Of the user before the events, oldest first.
        events: The events with their entries, oldest first.
    """

    user_id: str
    history: Sequence[Entry]
    events: Sequence[tuple[Entry, Event]]


class Claim:
    """The claims of one call.

    Args:
        claims: Counts what this call has claimed.
        on_new: Gets the events that this call has claimed.
    """

    def __init__(self, claims: "Claims", on_new: Callable[[Sequence[Event]], None] | None) -> None:
        self._claims = claims
        self._on_new = on_new
        self._token = secrets.token_bytes(4)
        self._unanswered: list[NewEvents] = []
        self._answered: set[tuple[str, int]] = set()  # user ids and hashes of event ids

    def ask(self, new: NewEvents) -> None:
        """Adds events to claim, except those whose claim was answered before."""
        events = [pair for pair in new.events if (new.user_id, pair[0].id_hash) not in self._answered]
        if events:
            self._unanswered.append(NewEvents(new.user_id, new.history, events))

    def calls(self) -> list[ScriptCall]:
        """The scripts whose answers `settle` needs. They may run any number of times."""
        return [
            ScriptCall(
                scripts.CLAIM,
                (
                    self._claims.key(new.user_id),
                    self._token,
                    b"".join(entry.id_hash.to_bytes(8, "big") for entry, _ in new.events),
                    1_000 * CLAIM_SECONDS,
                    _CLAIM_BYTES * CLAIMED_EVENTS,
                ),
            )
            for new in self._unanswered
        ]

    def settle(self, answers: Sequence[Sequence[int]]) -> None:
        """Counts the events that this call has claimed. answers: Of `calls`."""
        settled, self._unanswered = self._unanswered, []
        for new, held in zip(settled, answers, strict=True):
            self._answered.update((new.user_id, entry.id_hash) for entry, _ in new.events)
            mine = [pair for pair, is_mine in zip(new.events, held, strict=True) if is_mine]
            if mine:
                self._claims.count(NewEvents(new.user_id, new.history, mine))
                if self._on_new is not None:
                    self._on_new([event for _, event in mine])

    @property
    def is_settled(self) -> bool:
        """Whether every claim was answered."""
        return not self._unanswered


class Claims:
    """Makes the claims of calls, and asks again for those whose answers were lost. For the event loop's thread alone.

    A process that ends before it has an answer counts nothing for those events, and no other process does.

    Args:
        client: Of Redis.
        namespace: Of the keys.
        popularity: Counts the people behind the events that were claimed.
        history_limit: Events that a history keeps in each room.
    """

    def __init__(self, client: RedisClient, namespace: str, popularity: PopularityStore, *, history_limit: int) -> None:
        self._client = client
        self._namespace = namespace
        self._history_limit = history_limit
        self._popularity = popularity
        self._closing = asyncio.Event()
        self._queue: WorkQueue[Claim] = WorkQueue(self._settle)

    def open(self, on_new: Callable[[Sequence[Event]], None] | None) -> Claim:
        """A claim for one call. on_new: gets the events that the call has claimed, now or when the answer comes."""
        return Claim(self, on_new)

    def settle_soon(self, claim: Claim) -> None:
        """Asks again in the background, if an answer was lost."""
        if not claim.is_settled:
            self._queue.put(claim)

    def count(self, new: NewEvents) -> None:
        """Counts claimed events for popularity."""
        self._popularity.count_soon(counted_events(new.history, new.events, self._history_limit))

    def key(self, user_id: str) -> str:
        """Where the claims of a user's events are."""
        return keys.counted(self._namespace, user_id)

    async def close(self) -> None:
        """Tries once more what is waiting, and then gives up."""
        self._closing.set()
        await self._queue.close()

    async def _settle(self, claims: list[Claim]) -> None:
        for attempt in count():
            claims = [claim for claim in claims if not await self._settled(claim)]
            if not claims or self._closing.is_set():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(min(0.05 * 2**attempt, _LONGEST_WAIT_SECONDS)):
                    await self._closing.wait()

    async def _settled(self, claim: Claim) -> bool:
        try:
            with operation("claim_events"):
                answers = await scripts.run_together(self._client, claim.calls())
        except StoreUnavailable:
            return False
        claim.settle(answers)
        return True
