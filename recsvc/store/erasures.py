"""Tells the other server processes which users were erased, so that they drop them from memory too."""

from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation
from recsvc.store.history import hash_of

# Entries. A process that missed more has been away for longer than it would answer from memory.
_STREAM_LENGTH = 10_000


class ErasureStore:
    """A stream of hashes of user ids. A hash reveals no id to a reader who does not have it."""

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._key = keys.erasures(namespace)

    async def add(self, user_id: str) -> None:
        """Announces an erasure. Redis's own errors are not translated."""
        await self._client.execute_command(
            "XADD", self._key, "MAXLEN", "~", _STREAM_LENGTH, "*", "h", f"{hash_of(user_id):x}"
        )

    async def last(self) -> str:
        """The id of the newest entry of the stream; "0-0" if it is empty. Raises StoreUnavailable."""
        with operation("follow_erasures"):
            entries = await self._client.execute_command("XREVRANGE", self._key, "+", "-", "COUNT", 1)
        return str(entries[0][0].decode()) if entries else "0-0"

    async def after(self, entry_id: str) -> tuple[str, set[int]]:
        """The erasures after an entry of the stream.

        Returns:
            The id of the newest entry, and `hash_of` the ids of the users erased since.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        with operation("follow_erasures"):
            entries = await self._client.execute_command("XRANGE", self._key, f"({entry_id}", "+")
        hashes = {int(fields[b"h"], 16) for _, fields in entries}
        return (entries[-1][0].decode() if entries else entry_id), hashes
