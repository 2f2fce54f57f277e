"""The event log: every event that was acknowledged, until it is exported for training; and, for off-policy evaluation,
the lists in which chance had a part.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event
from recsvc.errors import StoreUnavailable
from recsvc.store import keys, packing, scripts
from recsvc.store.connection import RedisClient, operation

# Each page holds Redis for about a millisecond.
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log. logged: None for a tombstone, which says that the user was erased at this point."""

    entry_id: str
    user_id: str
    logged: Event | ServedList | None


class EventLog:
    """Streams, partitioned by user, of all events with all their fields. `UserStore` writes them.

    An event may stand in it twice, when a writer was not told that it had succeeded and sent it again: who exports
    keeps one of each event_id. Nothing is ever dropped to make room: a full partition refuses events until what was
    exported is trimmed.
    """

    def __init__(self, client: RedisClient, namespace: str, limit: int) -> None:
        """limit: entries a partition, of which there are `keys.LOG_PARTITIONS`."""
        self._client = client
        self._namespace = namespace
        self._limit = limit

    def ask_lengths(self, pipeline: Any, user_ids: Iterable[str]) -> list[int]:
        """Asks in a pipeline how long the users' partitions are. Returns the partitions, in the order of answers."""
        partitions = sorted(set(map(keys.log_partition, user_ids)))
        for partition in partitions:
            pipeline.execute_command("XLEN", self._key(partition))
        return partitions

    async def append(self, events: Sequence[Event], lengths: Mapping[int, int]) -> None:
        """Logs events. lengths: each partition's length, read a moment ago; concurrent writers may overshoot a little.

        Raises StoreUnavailable, having logged nothing, when a partition is full. Redis's own errors come through.
        """
        coming = Counter(keys.log_partition(event.user_id) for event in events)
        if any(lengths[partition] + count > self._limit for partition, count in coming.items()):
            raise StoreUnavailable("the event log is full: export it")
        pipeline = self._client.pipeline(transaction=False)
        for event in events:
            key = self._key(keys.log_partition(event.user_id))
            pipeline.execute_command("XADD", key, "*", "u", event.user_id, "e", packing.pack_logged(event))
        await pipeline.execute()

    async def append_lists(self, lists: Sequence[ServedList]) -> int:
        """Logs lists, but for those whose partition is half full: the rest of it is for events, which nobody may lose.

        Returns how many it left out. Redis's own errors come through.
        """
        pipeline = self._client.pipeline(transaction=False)
        partitions = self.ask_lengths(pipeline, (given.user_id for given in lists))
        lengths = dict(zip(partitions, await pipeline.execute(), strict=True))
        left_out = 0
        for given in lists:
            partition = keys.log_partition(given.user_id)
            if lengths[partition] >= self._limit // 2:
                left_out += 1
                continue
            packed = packing.pack_logged_list(given)
            pipeline.execute_command("XADD", self._key(partition), "*", "u", given.user_id, "e", packed)
        await pipeline.execute()
        return left_out

    async def length(self, partition: int) -> int:
        """How many entries a partition has."""
        with operation("read_event_log"):
            return int(await self._client.execute_command("XLEN", self._key(partition)))

    async def read(self, partition: int, after: str = "0-0", count: int = 1000) -> list[LogEntry]:
        """The next entries, oldest first, at most `count`. after: the entry_id that was read last."""
        with operation("read_event_log"):
            entries = await self._client.execute_command(
                "XRANGE", self._key(partition), f"({after}", "+", "COUNT", count
            )
        read = []
        for entry_id, fields in entries:
            user_id = fields[b"u"].decode()
            read.append(LogEntry(entry_id.decode(), user_id, packing.unpack_logged(fields[b"e"], user_id)))
        return read

    async def of_user(self, user_id: str) -> tuple[list[Event], list[ServedList]]:
        """What the log holds of one user, oldest first, each event once. Redis's own errors come through."""
        key, start = self._key(keys.log_partition(user_id)), "-"
        events: dict[str, Event] = {}
        lists: list[ServedList] = []
        while True:
            found, last = await scripts.run(self._client, scripts.READ_USER_PAGE, key, start, _PAGE, user_id)
            for packed in found:
                logged = packing.unpack_logged(packed, user_id)
                if logged is None:  # what stood before a tombstone is no longer the user's
                    events.clear()
                    lists.clear()
                elif isinstance(logged, ServedList):
                    lists.append(logged)
                else:
                    events.setdefault(logged.event_id, logged)
            if not last:
                return list(events.values()), lists
            start = f"({last.decode()}"

    async def trim(self, partition: int, through: str) -> int:
        """Removes the entries up to and with `through`, which must be exported. Returns how many there were."""
        milliseconds, sequence = through.split("-")
        with operation("trim_event_log"):
            trimmed = await self._client.execute_command(
                "XTRIM", self._key(partition), "MINID", "=", f"{milliseconds}-{int(sequence) + 1}"
            )
        return int(trimmed)

    async def time(self) -> int:
        """By the clock that the entries' ids come from: microseconds since 1970 UTC."""
        with operation("read_event_log"):
            seconds, microseconds = await self._client.execute_command("TIME")
        return int(seconds) * 1_000_000 + int(microseconds)

    async def erase(self, user_id: str) -> tuple[int, int]:
        """Leaves a tombstone for what is already exported, and removes all earlier entries of the user.

        Returns how many entries that were, and the tombstone's time, in microseconds since 1970 UTC. The tombstone is
        written even to a full log: erasure may not be refused.
        Redis's own errors come through.
        """
        key = self._key(keys.log_partition(user_id))
        tombstone = await self._client.execute_command("XADD", key, "*", "u", user_id, "e", packing.pack_erasure())
        end = f"({tombstone.decode()}"
        start, total = "-", 0
        while True:
            removed, last = await scripts.run(self._client, scripts.ERASE_PAGE, key, start, end, _PAGE, user_id)
            total += int(removed)
            if not last:
                return total, int(tombstone.partition(b"-")[0]) * 1_000
            start = f"({last.decode()}"

    def _key(self, partition: int) -> str:
        return keys.event_log(self._namespace, partition)
