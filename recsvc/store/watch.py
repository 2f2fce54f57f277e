"""Looks whether Redis still has what this process has just written, and whether it may evict keys."""

import secrets
from contextlib import suppress

from recsvc.errors import StoreUnavailable
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation
from recsvc.store.eviction import Eviction, read_eviction

# Since the last look, after which the counter of a process that is gone expires.
_KEPT_SECONDS = 7 * 86_400


class StoreWatch:
    """Counts one key up at each look. If the number falls, Redis has lost at least what was written since.

    It went back to an earlier state: a replica that was behind took over, a backup was restored, or it came back empty.

    Attributes:
        eviction: As Redis last said it; None before.
    """

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._key = keys.beats(namespace, secrets.token_hex(8))
        self._beats = 0
        self.eviction: Eviction | None = None

    async def has_gone_back(self) -> bool:
        """Counts up, and returns whether Redis has lost an earlier count.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        pipeline = self._client.pipeline(transaction=False)
        pipeline.execute_command("INCR", self._key)
        pipeline.execute_command("EXPIRE", self._key, _KEPT_SECONDS)
        with operation("watch"):
            beats = int((await pipeline.execute())[0])
        has_gone_back = beats <= self._beats
        self._beats = beats
        return has_gone_back

    async def close(self) -> None:
        """Removes the counter. Without Redis it expires."""
        with suppress(StoreUnavailable), operation("watch"):
            await self._client.execute_command("DEL", self._key)

    async def count_evicted(self) -> int:
        """Returns how many keys Redis has evicted since the last call, and reads `eviction` again.

        A Redis that does not answer, or does not let this user ask, leaves it as it is.
        """
        try:
            eviction = await read_eviction(self._client)
        except StoreUnavailable:
            return 0
        # A Redis that was restarted counts from 0 again. What was evicted before the first call is not news.
        before = eviction.evicted_keys if self.eviction is None else self.eviction.evicted_keys
        self.eviction = eviction
        return max(0, eviction.evicted_keys - before)
