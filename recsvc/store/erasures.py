"""Who was erased of late, for the other server processes: what they keep in memory has to go too."""

from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation
from recsvc.store.history import hash_of

# A process that missed more than this has been away for longer than it answers from memory.
_STREAM_LENGTH = 10_000


class ErasureStore:
    """A stream of hashes: it says nothing of anybody whom one does not know already."""

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._key = keys.erasures(namespace)

    async def add(self, user_id: str) -> None:
        """Redis's own errors come through."""
        await self._client.execute_command(
            "XADD", self._key, "MAXLEN", "~", _STREAM_LENGTH, "*", "h", f"{hash_of(user_id):x}"
        )

    async def last(self) -> str:
        """The place in the stream after which erasures are still to come. Raises StoreUnavailable."""
        with operation("follow_erasures"):
            found = await self._client.execute_command("XREVRANGE", self._key, "+", "-", "COUNT", 1)
        return str(found[0][0].decode()) if found else "0-0"

    async def after(self, place: str) -> tuple[str, set[int]]:
        """The hashes of those erased since, and the place after them. Raises StoreUnavailable."""
        with operation("follow_erasures"):
            entries = await self._client.execute_command("XRANGE", self._key, f"({place}", "+")
        hashes = {int(fields[b"h"], 16) for _, fields in entries}
        return (entries[-1][0].decode() if entries else place), hashes
