"""Decides which call counts a new event, so that an event that is sent again counts once everywhere.

A call claims an event in Redis in the script that writes it to the history. The call that holds the claim counts the
event. If the answer of Redis is lost, the caller sends the event again. The second call finds the claim of the first
call and does not count. The first call asks again in the background until it knows which events to count.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count

from recsvc.domain.shop import Event
from recsvc.errors import StoreUnavailable
from recsvc.runtime.work_queue import WorkQueue
from recsvc.store import keys, scripts, user_scripts
from recsvc.store.connection import RedisClient, operation
from recsvc.store.gathered_commands import pipelined
from recsvc.store.history import Entry, recognised
from recsvc.store.people_counts import counted_events
from recsvc.store.popularity import PopularityStore
from recsvc.store.scripts import ScriptCall

# A claim is kept for an hour after the user's last event, and at least for the newest 512 events of the user: callers
# send an event again within minutes, and a history recognises its events for longer.
CLAIM_SECONDS = 3_600
CLAIMED_EVENTS = 512
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
        self._unanswered: dict[str, NewEvents] = {}
        self._answered: set[tuple[str, int]] = set()  # user ids and hashes of event ids

    def ask(self, new: NewEvents) -> None:
        """Adds events to claim, except those whose claim was answered before.

        An event that another call has written since the last attempt may still be counted by this call.
        """
        events = [pair for pair in new.events if (new.user_id, pair[0].id_hash) not in self._answered]
        history = new.history
        if before := self._unanswered.get(new.user_id):
            hashes = {entry.id_hash for entry, _ in events}
            written = [pair for pair in before.events if pair[0].id_hash not in hashes]
            written_hashes = {recognised(entry.id_hash) for entry, _ in written}
            events = [*written, *events]
            history = [entry for entry in history if recognised(entry.id_hash) not in written_hashes]
        if events:
            self._unanswered[new.user_id] = NewEvents(new.user_id, history, events)

    @property
    def unanswered(self) -> list[str]:
        """The users with events whose claim was not answered."""
        return list(self._unanswered)

    def call(
        self,
        user_id: str,
        *,
        version: bytes = b"0",
        packed_history: bytes = b"",
        ttl_milliseconds: int = 0,
        log_key: str = "",
        log_entries: Sequence[bytes] = (),
    ) -> ScriptCall:
        """The script that logs a user's events, claims them, and writes the history unless it is empty.

        To claim may be repeated any number of times.

        Args:
            user_id: The user.
            version: Of the record that was read, as Redis has it.
            packed_history: The new history.
            ttl_milliseconds: How long the record is kept.
            log_key: Of the user's partition of the event log.
            log_entries: Packed events.
        """
        new = self._unanswered.get(user_id)
        hashes = b"".join(entry.id_hash.to_bytes(8, "big") for entry, _ in new.events) if new else b""
        claims = (self._token, hashes, 1_000 * CLAIM_SECONDS, _CLAIM_BYTES * CLAIMED_EVENTS)
        keys_of_user = keys.user(self._claims.namespace, user_id), keys.counted(self._claims.namespace, user_id)
        values = (*claims, version, packed_history, ttl_milliseconds)
        if not log_entries:
            return ScriptCall(user_scripts.WRITE_EVENTS, (*keys_of_user, *values), keys=2)
        with_log: tuple[str | bytes | int, ...] = (*keys_of_user, log_key, *values, user_id, *log_entries)
        return ScriptCall(user_scripts.WRITE_EVENTS, with_log, keys=3)

    def settle(self, user_id: str, claimed: bytes) -> None:
        """Counts the events that this call has claimed.

        Args:
            user_id: The user.
            claimed: The second part of the script's answer.
        """
        if (new := self._unanswered.pop(user_id, None)) is None:
            return
        self._answered.update((user_id, entry.id_hash) for entry, _ in new.events)
        mine = [pair for pair, held in zip(new.events, claimed.decode(), strict=True) if held == "1"]
        if mine:
            self._claims.count(NewEvents(user_id, new.history, mine))
            if self._on_new is not None:
                self._on_new([event for _, event in mine])


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
        self.namespace = namespace
        self._history_limit = history_limit
        self._popularity = popularity
        self._closing = asyncio.Event()
        self._queue: WorkQueue[Claim] = WorkQueue(self._settle)

    def open(self, on_new: Callable[[Sequence[Event]], None] | None) -> Claim:
        """A claim for one call. on_new: gets the events that the call has claimed, now or when the answer comes."""
        return Claim(self, on_new)

    def settle_soon(self, claim: Claim) -> None:
        """Asks again in the background, if an answer was lost."""
        if claim.unanswered:
            self._queue.put(claim)

    def count(self, new: NewEvents) -> None:
        """Counts claimed events for popularity."""
        self._popularity.count_soon(counted_events(new.history, new.events, self._history_limit))

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
        users = claim.unanswered
        try:
            with operation("claim_events"):
                calls = [claim.call(user_id) for user_id in users]
                answers = await scripts.run_together(partial(pipelined, self._client), calls)
        except StoreUnavailable:
            return False
        for user_id, (_, claimed) in zip(users, answers, strict=True):
            claim.settle(user_id, claimed)
        return True
