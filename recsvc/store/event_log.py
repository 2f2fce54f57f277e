"""The event log: every acknowledged event until it is exported for training, and some lists.

Randomised lists are for off-policy evaluation, those of searches for the report on searches.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from redis.exceptions import ResponseError

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event
from recsvc.errors import StoreUnavailable
from recsvc.store import keys, log_packing, scripts, user_scripts
from recsvc.store.connection import RedisClient, operation

_PAGE_SIZE = 1000  # entries; reading a page holds Redis for about a millisecond


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log.

    Attributes:
        entry_id: Of the stream.
        user_id: Whose entry it is.
        logged: An event or a list; None for a tombstone, which marks that the user was erased at this point.
    """

    entry_id: str
    user_id: str
    logged: Event | ServedList | None


class EventLog:
    """Streams of all events with all their fields, partitioned by user. `UserStore` writes them.

    An event may be in the log twice, if its writer got no acknowledgement and sent it again. The exporter keeps one of
    each event_id. Nothing is dropped to make room: a full partition refuses events until exported entries are trimmed.

    Args:
        client: Of Redis.
        namespace: Of the keys.
        limit: Entries in each of the `keys.LOG_PARTITIONS` partitions.
    """

    def __init__(self, client: RedisClient, namespace: str, limit: int) -> None:
        self._client = client
        self._namespace = namespace
        self._limit = limit

    def length_commands(self, user_ids: Iterable[str]) -> dict[int, tuple[str, str]]:
        """By partition of the users, the command for its length."""
        return {partition: ("XLEN", self._key(partition)) for partition in set(map(keys.log_partition, user_ids))}

    def check_room(self, events: Mapping[str, Sequence[Event]], lengths: Mapping[int, int]) -> None:
        """Checks that events can be logged.

        Args:
            events: By user_id.
            lengths: Length of each partition, read a moment ago. Concurrent writers may exceed the limit a little.

        Raises:
            StoreUnavailable: A partition is full.
        """
        added: Counter[int] = Counter()
        for user_id, of_user in events.items():
            added[keys.log_partition(user_id)] += len(of_user)
        if any(lengths[partition] + count > self._limit for partition, count in added.items()):
            raise StoreUnavailable("the event log is full: export it")

    def key_of(self, user_id: str) -> str:
        """The partition of a user."""
        return self._key(keys.log_partition(user_id))

    async def append(self, events: Mapping[str, Sequence[Event]]) -> None:
        """Logs events by user_id. Redis's own errors are not translated."""
        pipeline = self._client.pipeline(transaction=False)
        for user_id, of_user in events.items():
            for packed in map(log_packing.pack_logged_event, of_user):
                pipeline.execute_command("XADD", self.key_of(user_id), "*", "u", user_id, "e", packed)
        await pipeline.execute()

    async def append_lists(self, lists: Sequence[ServedList]) -> int:
        """Logs lists, except those whose partition is half full: the rest is reserved for events, which must be kept.

        Redis's own errors are not translated.

        Returns:
            How many lists were left out.
        """
        pipeline = self._client.pipeline(transaction=False)
        commands = self.length_commands(served.user_id for served in lists)
        for command in commands.values():
            pipeline.execute_command(*command)
        lengths = dict(zip(commands, await pipeline.execute(), strict=True))
        left_out = 0
        for served in lists:
            partition = keys.log_partition(served.user_id)
            if lengths[partition] >= self._limit // 2:
                left_out += 1
                continue
            packed = log_packing.pack_logged_list(served)
            pipeline.execute_command("XADD", self._key(partition), "*", "u", served.user_id, "e", packed)
        await pipeline.execute()
        return left_out

    async def length(self, partition: int) -> int:
        """Entries in a partition. Raises StoreUnavailable."""
        with operation("read_event_log"):
            return int(await self._client.execute_command("XLEN", self._key(partition)))

    async def read(self, partition: int, after: str = "0-0", count: int = 1000) -> list[LogEntry]:
        """The next entries, oldest first, at most `count`.

        Args:
            partition: 0 to `keys.LOG_PARTITIONS` - 1.
            after: The entry_id that was read last.
            count: How many entries to read.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        with operation("read_event_log"):
            entries = await self._client.execute_command(
                "XRANGE", self._key(partition), f"({after}", "+", "COUNT", count
            )
        return [_entry(entry_id, fields) for entry_id, fields in entries]

    async def of_user(self, user_id: str) -> tuple[list[Event], list[ServedList]]:
        """The events, each once, and lists of one user, oldest first. Redis's own errors are not translated."""
        key, start = self._key(keys.log_partition(user_id)), "-"
        events: dict[str, Event] = {}
        lists: list[ServedList] = []
        while True:
            page, last = await scripts.run(self._client, user_scripts.READ_USER_PAGE, key, start, _PAGE_SIZE, user_id)
            for packed in page:
                logged = log_packing.unpack_logged(packed, user_id)
                if logged is None:  # entries before a tombstone are no longer the user's
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
        """Removes the entries up to and including `through`, which must be exported already.

        Returns:
            How many entries were removed.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        milliseconds, sequence = through.split("-")
        with operation("trim_event_log"):
            trimmed = await self._client.execute_command(
                "XTRIM", self._key(partition), "MINID", "=", f"{milliseconds}-{int(sequence) + 1}"
            )
        return int(trimmed)

    async def time(self) -> int:
        """The time by Redis's clock, which the entries' ids come from: microseconds since 1970 UTC."""
        with operation("read_event_log"):
            seconds, microseconds = await self._client.execute_command("TIME")
        return int(seconds) * 1_000_000 + int(microseconds)

    async def erase(self, user_id: str) -> tuple[int, int]:
        """Removes all entries of a user, and writes a tombstone that erases what is already exported.

        The tombstone is written even to a full log: an erasure may not be refused. If the memory of Redis is full, the
        entries are removed first, which makes room. Redis's errors are not translated.

        Returns:
            How many entries were removed, and the tombstone's time in microseconds since 1970 UTC.
        """
        key = self._key(keys.log_partition(user_id))
        total = 0
        try:
            tombstone = await self._add_tombstone(key, user_id)
        except ResponseError:
            total = await self._remove(key, user_id, "+")
            tombstone = await self._add_tombstone(key, user_id)
        total += await self._remove(key, user_id, f"({tombstone.decode()}")
        return total, int(tombstone.partition(b"-")[0]) * 1_000

    async def _add_tombstone(self, key: str, user_id: str) -> bytes:
        packed = log_packing.pack_tombstone()
        return bytes(await self._client.execute_command("XADD", key, "*", "u", user_id, "e", packed))

    async def _remove(self, key: str, user_id: str, end: str) -> int:
        """Removes the entries of a user up to an end (XRANGE), page by page. Returns how many events and lists."""
        start, total = "-", 0
        while True:
            removed, last = await scripts.run(
                self._client, user_scripts.ERASE_PAGE, key, start, end, _PAGE_SIZE, user_id
            )
            total += int(removed)
            if not last:
                return total
            start = f"({last.decode()}"

    def _key(self, partition: int) -> str:
        return keys.event_log(self._namespace, partition)


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> LogEntry:
    user_id = fields[b"u"].decode()
    return LogEntry(entry_id.decode(), user_id, log_packing.unpack_logged(fields[b"e"], user_id))
