"""Writes events to the event log and to the users' histories, each once, whatever other writers do meanwhile."""

import asyncio
import random
from collections.abc import Sequence

from recsvc.domain.shop import Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.store import keys, packing, scripts
from recsvc.store.connection import RedisClient, operation
from recsvc.store.event_log import EventLog
from recsvc.store.history import merge, unseen
from recsvc.store.people_counts import counted_events
from recsvc.store.popularity import CountedEvent, PopularityStore

# Writers of the same user wait at random up to 1, 2, 4, ... 64 ms between attempts. With these, 150 of them succeed.
WRITE_ATTEMPTS = 24
_MAX_WAIT_SECONDS = 0.064


class EventWriter:
    """Writes events by compare-and-set on the version of a user's record.

    Args:
        client: Of Redis.
        namespace: Of the keys.
        history_limit: Events kept of each user; the newest are kept.
        ttl_milliseconds: How long a user's record is kept after the last write.
        event_log: Gets every event.
        popularity: Counts the people behind new events.
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
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._history_limit = history_limit
        self._ttl_milliseconds = ttl_milliseconds
        self._event_log = event_log
        self._popularity = popularity

    async def write(self, events: Sequence[Event]) -> dict[str, int]:
        """Writes events of any users; see `UserStore.write_events`."""
        pending: dict[str, list[Event]] = {}
        versions: dict[str, int] = {}
        for event in events:
            pending.setdefault(event.user_id, []).append(event)
        logged: set[tuple[str, str]] = set()
        counted: dict[str, list[CountedEvent]] = {}
        with operation("write_events"):
            for attempt in range(WRITE_ATTEMPTS):
                versions |= await self._write_once(pending, logged, counted)
                pending = {user_id: of_user for user_id, of_user in pending.items() if user_id not in versions}
                if not pending:
                    break
                await wait_before_retry(attempt)
            else:
                raise StoreUnavailable("too many writers changed one user's history at the same time")
        self._popularity.count_soon(event for events in counted.values() for event in events)
        return versions

    async def _write_once(
        self, pending: dict[str, list[Event]], logged: set[tuple[str, str]], counted: dict[str, list[CountedEvent]]
    ) -> dict[str, int]:
        """Reads each user's history, logs the new events, and writes the history, once.

        Args:
            pending: Events to write, by user_id.
            logged: User and event ids that are logged already. The ids logged here are added.
            counted: Is set to what each user's new events count for popularity.

        Returns:
            Versions by user_id. A user whom another writer changed meanwhile is missing, and must be tried again.
        """
        pipeline = self._client.pipeline(transaction=False)
        for user_id in pending:
            pipeline.execute_command("HMGET", self._key(user_id), keys.VERSION, keys.HISTORY)
        partitions = self._event_log.request_lengths(pipeline, pending)
        answers = await pipeline.execute()
        lengths = dict(zip(partitions, answers[len(pending) :], strict=True))

        unlogged: list[Event] = []
        versions: dict[str, int] = {}
        writes: dict[str, tuple[str | bytes | int, ...]] = {}
        for (user_id, events), (version, packed) in zip(pending.items(), answers[: len(pending)], strict=True):
            history = packing.unpack_history(packed)
            arrivals = unseen(history, events)
            counted[user_id] = list(counted_events(history, arrivals, self._history_limit))
            unlogged += [event for _, event in arrivals if (user_id, event.event_id) not in logged]
            kept = [entry for entry, event in arrivals if event.event_type is not EventType.IMPRESSION]
            merged = merge(history, kept, self._history_limit)
            if merged != history:
                packed_history = packing.pack_history(merged)
                writes[user_id] = (self._key(user_id), version or b"0", packed_history, self._ttl_milliseconds)
            else:
                versions[user_id] = int(version or 0)
        if unlogged:
            await self._event_log.append(unlogged, lengths)
            logged.update((event.user_id, event.event_id) for event in unlogged)
        if writes:
            written = await scripts.run_each(self._client, scripts.WRITE_HISTORY, list(writes.values()))
            versions |= {user_id: version for user_id, version in zip(writes, written, strict=True) if version}
        return versions

    def _key(self, user_id: str) -> str:
        return keys.user(self._namespace, user_id)


async def wait_before_retry(attempt: int) -> None:
    """Waits before the next attempt: longer each time, and at random so that writers do not collide again."""
    longest = min(0.001 * 2**attempt, _MAX_WAIT_SECONDS)
    await asyncio.sleep(random.uniform(0, longest))  # noqa: S311  jitter is no secret
