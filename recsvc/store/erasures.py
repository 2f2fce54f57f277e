"""Tells the other server processes which users were erased, so that they drop them from memory too."""

import secrets
from collections.abc import Mapping, Sequence

from recsvc.runtime.metrics import UNREADABLE_VALUES
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation
from recsvc.store.history import hash_of
from recsvc.store.stream import Place, StreamEntry, entries_after

# Entries. A process that missed more has been away for longer than it would answer from memory.
STREAM_LENGTH = 10_000
_PAGE_SIZE = 1_000


class ErasureStore:
    """A stream of hashes of user ids. A hash reveals no id to a reader who does not have it.

    Attributes:
        own: The ids of the users that this process erased last, by hash: they are erased again if Redis loses that.
    """

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._key = keys.erasures(namespace)
        self.own: dict[int, str] = {}

    async def add(self, user_id: str) -> None:
        """Announces an erasure. Redis's own errors are not translated."""
        await self._client.execute_command(
            *("XADD", self._key, "MAXLEN", "~", STREAM_LENGTH, "*"),
            *("h", f"{hash_of(user_id):x}", "n", secrets.token_hex(6)),
        )
        self.own[hash_of(user_id)] = user_id
        if len(self.own) > STREAM_LENGTH:
            del self.own[next(iter(self.own))]

    async def read_all(self) -> tuple[Place, dict[str, int]]:
        """Reads the whole stream.

        Returns:
            The place of its last entry; and by entry id, oldest first, `hash_of` the id of the user.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        with operation("follow_erasures"):
            entries: list[StreamEntry] = await self._client.execute_command("XRANGE", self._key, "-", "+")
        return Place.of(entries), _hashes(entries)

    async def read_after(self, place: Place) -> tuple[Place, dict[str, int]] | None:
        """Reads the erasures after a place, at most a page of them.

        Returns:
            As `read_all`. None if everything must be read again: see `stream.entries_after`.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        with operation("follow_erasures"):
            entries = await entries_after(self._client, self._key, place, _PAGE_SIZE)
        if entries is None:
            return None
        return (Place.of(entries) if entries else place), _hashes(entries)


def _hashes(entries: Sequence[StreamEntry]) -> dict[str, int]:
    """The hash in each entry that this version can read."""
    hashes = {entry_id.decode(): _hash(fields) for entry_id, fields in entries}
    return {entry_id: user_hash for entry_id, user_hash in hashes.items() if user_hash is not None}


def _hash(fields: Mapping[bytes, bytes]) -> int | None:
    try:
        return int(fields[b"h"], 16)
    except (KeyError, ValueError):
        UNREADABLE_VALUES.labels("erasures").inc()
        return None
