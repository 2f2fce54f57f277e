"""Writes events to the event log and to the users' histories, each once, whatever other writers do meanwhile."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from redis.asyncio import RedisCluster

from recsvc.domain.shop import UNDATED, Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.store import keys, log_packing, packing, scripts, user_scripts
from recsvc.store.claims import Claim, Claims, NewEvents
from recsvc.store.connection import RedisClient, operation
from recsvc.store.event_log import EventLog
from recsvc.store.gathered_commands import GatheredCommands, pipelined
from recsvc.store.history import Entry, merge, too_old, unseen
from recsvc.store.popularity import PopularityStore
from recsvc.store.scripts import ScriptCall, Send

# Writers of the same user wait at random up to 1, 2, 4, ... 64 ms between attempts. With these, 150 of them succeed.
WRITE_ATTEMPTS = 24
_MAX_WAIT_SECONDS = 0.064
_NOTHING_TO_WRITE = b"0", b""
_LATER_THAN_ALL = 2**63  # microseconds since 1970 UTC


class EventWriter:
    """Writes events by compare-and-set on the version of a user's record.

    Args:
        client: Of Redis.
        namespace: Of the keys.
        history_limit: Events kept of each user in each room, the newest; see `recsvc.domain.history_rooms`.
        ttl_milliseconds: How long a user's record is kept after the last write.
        event_log: Gets every event.
        popularity: Counts the people behind new events.
        gathered: Sends the commands of calls together.
    """

    def __init__(
        self,
        client: RedisClient,
        namespace: str,
        *,
        history_limit: int,
        ttl_milliseconds: int,
        event_log: EventLog,
        popularity: PopularityStore,
        gathered: GatheredCommands,
    ) -> None:
        # A Cluster may have the log and the record on two servers, so no script reaches both.
        self._is_cluster = isinstance(client, RedisCluster)
        self._send: Send = partial(pipelined, client) if self._is_cluster else gathered.run
        self._namespace = namespace
        self._history_limit = history_limit
        self._ttl_milliseconds = ttl_milliseconds
        self._event_log = event_log
        self._claims = Claims(client, namespace, popularity, history_limit=history_limit)

    async def write(
        self, events: Sequence[Event], on_new: Callable[[Sequence[Event]], None] | None = None
    ) -> dict[str, int]:
        """Writes events of any users; see `UserStore.write_events`."""
        pending: dict[str, list[Event]] = {}
        versions: dict[str, int] = {}
        for event in events:
            pending.setdefault(event.user_id, []).append(event)
        logged: set[tuple[str, str]] = set()
        claim = self._claims.open(on_new)
        try:
            with operation("write_events"):
                for attempt in range(WRITE_ATTEMPTS):
                    versions |= await self._write_once(pending, logged, claim)
                    pending = {user_id: of_user for user_id, of_user in pending.items() if user_id not in versions}
                    if not pending:
                        return versions
                    await wait_before_retry(attempt)
        finally:
            # Redis may have taken events although its answer was lost, or the call was cancelled.
            self._claims.settle_soon(claim)
        raise StoreUnavailable("too many writers changed one user's history at the same time")

    async def close(self) -> None:
        """Returns when it is known which events this process must count, or Redis did not say it once more."""
        await self._claims.close()

    async def _write_once(
        self, pending: dict[str, list[Event]], logged: set[tuple[str, str]], claim: Claim
    ) -> dict[str, int]:
        """Reads each user's history, logs and claims the new events, and writes the history, once.

        Args:
            pending: Events to write, by user_id. They get their times by Redis's clock.
            logged: User and event ids that are logged already. The ids logged here are added.
            claim: Counts the events that no history had.

        Returns:
            Versions by user_id. A user whom another writer changed meanwhile is missing, and must be tried again.
        """
        lengths = self._event_log.length_commands(pending)
        reads = [ScriptCall(user_scripts.READ_HISTORY, (self._key(user_id),)) for user_id in pending]
        answers = await scripts.run_together(self._send, reads, lengths.values())

        unlogged: dict[str, list[Event]] = {}
        new: list[NewEvents] = []
        versions: dict[str, int] = {}
        writes: dict[str, tuple[bytes, bytes]] = {}
        for user_id, (version, packed, now) in zip(list(pending), answers[: len(reads)], strict=True):
            pending[user_id] = events = _dated(pending[user_id], now)
            history = _not_ahead(packing.unpack_history(packed), now)
            arrivals = unseen(history, events)
            if to_log := [event for _, event in arrivals if (user_id, event.event_id) not in logged]:
                unlogged[user_id] = to_log
            old = too_old(history, self._history_limit)
            arrivals = [pair for pair in arrivals if not old(pair[0])]
            new.append(NewEvents(user_id, history, arrivals))
            kept = [entry for entry, event in arrivals if event.event_type is not EventType.IMPRESSION]
            if kept:
                merged = merge(history, kept, self._history_limit)
                writes[user_id] = version or b"0", packing.pack_history(merged)
            else:
                versions[user_id] = int(version or 0)
        self._event_log.check_room(unlogged, dict(zip(lengths, answers[len(reads) :], strict=True)))
        if unlogged and self._is_cluster:
            await self._event_log.append(unlogged)
        for of_user in new:
            claim.ask(of_user)
        users = list(dict.fromkeys((*writes, *claim.unanswered, *unlogged)))
        if users:
            answers = await scripts.run_together(
                self._send,
                [
                    self._call(claim, user_id, writes.get(user_id, _NOTHING_TO_WRITE), unlogged.get(user_id, ()))
                    for user_id in users
                ],
            )
            logged.update((user_id, event.event_id) for user_id, of_user in unlogged.items() for event in of_user)
            for user_id, (version, claimed) in zip(users, answers, strict=True):
                if version:
                    versions[user_id] = version
                if version or user_id not in writes:  # else they are counted by the history of the next attempt
                    claim.settle(user_id, claimed)
        return versions

    def _call(self, claim: Claim, user_id: str, write: tuple[bytes, bytes], to_log: Sequence[Event]) -> ScriptCall:
        """The script for one user. write: the version that was read, and the new history."""
        entries = [] if self._is_cluster else [log_packing.pack_logged_event(event) for event in to_log]
        return claim.call(
            user_id,
            version=write[0],
            packed_history=write[1],
            ttl_milliseconds=self._ttl_milliseconds,
            log_key=self._event_log.key_of(user_id),
            log_entries=entries,
        )

    def _key(self, user_id: str) -> str:
        return keys.user(self._namespace, user_id)


def _dated(events: Sequence[Event], now: int) -> list[Event]:
    """The events by time, none after `now`. Of equal times, the later in the batch is later.

    An event without a time happened now, so it comes after those whose callers' clocks are fast.
    """
    in_order = sorted(events, key=lambda event: _LATER_THAN_ALL if event.timestamp == UNDATED else event.timestamp)
    return [event if UNDATED < event.timestamp <= now else replace(event, timestamp=now) for event in in_order]


def _not_ahead(history: list[Entry], now: int) -> list[Entry]:
    """The history without times after `now`: from before a failover to a slower clock, or from an earlier version."""
    if not history or history[-1].timestamp <= now:
        return history
    return [entry if entry.timestamp <= now else entry._replace(timestamp=now) for entry in history]


async def wait_before_retry(attempt: int) -> None:
    """Waits before the next attempt: longer each time, and at random so that writers do not collide again."""
    longest = min(0.001 * 2**attempt, _MAX_WAIT_SECONDS)
    await asyncio.sleep(random.uniform(0, longest))  # noqa: S311  jitter is no secret
