"""Looks whether Redis answers in time, takes writes, still has what was written, and may evict keys."""

import secrets
import time
from collections import deque
from contextlib import suppress

from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.runtime.rungs import Rung
from recsvc.store import keys
from recsvc.store.connection import RedisClient, check_access, operation
from recsvc.store.eviction import Eviction, read_eviction

# Since the last look, after which the counter of a process that is gone expires.
_KEPT_SECONDS = 7 * 86_400
# Share of the timeout: a look that takes longer is slow.
_SLOW_SHARE = 0.5
# Looks: Redis is slow from the third slow one of five, until the last three were fast.
_LOOKS, _SLOW_LOOKS = 5, 3
_SILENT_LOOKS = 2  # in a row, after which Redis counts as away: one slow answer is no news


class StoreWatch:
    """Counts one key up at each look. If the number falls, Redis has lost at least what was written since.

    It went back to an earlier state: a replica that was behind took over, a backup was restored, or it came back empty.

    Args:
        client: Of Redis.
        namespace: Of the keys.
        timeout_seconds: How long Redis may take to answer.

    Attributes:
        eviction: As Redis last said it; None before.
    """

    def __init__(self, client: RedisClient, namespace: str, timeout_seconds: float) -> None:
        self._client = client
        self._key = keys.beats(namespace, secrets.token_hex(8))
        self._beats = 0
        self._slow_seconds = _SLOW_SHARE * timeout_seconds
        self._were_slow: deque[bool] = deque(maxlen=_LOOKS)
        self._silent = 0
        self._was_accepted = False
        self.eviction: Eviction | None = None

    async def check_access(self) -> None:
        """See `UserStore.check_access`."""
        try:
            await check_access(self._client)
        except SettingsError as error:
            if not self._was_accepted:
                raise
            raise StoreUnavailable(str(error), Rung.REDIS_ACCESS_REFUSED) from None
        self._was_accepted = True

    async def has_gone_back(self) -> bool:
        """Counts up, and returns whether Redis has lost an earlier count.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        pipeline = self._client.pipeline(transaction=False)
        pipeline.execute_command("INCR", self._key)
        pipeline.execute_command("EXPIRE", self._key, _KEPT_SECONDS)
        began = time.monotonic()
        try:
            with operation("watch"):
                beats = int((await pipeline.execute())[0])
        except StoreUnavailable as error:
            self._silent += error.rung == Rung.REDIS_AWAY
            self._were_slow.append(error.rung == Rung.REDIS_AWAY)
            raise
        self._silent, self._was_accepted = 0, True
        self._were_slow.append(time.monotonic() - began > self._slow_seconds)
        has_gone_back = beats <= self._beats
        self._beats = beats
        return has_gone_back

    @property
    def is_away(self) -> bool:
        """Whether the last looks got no answer."""
        return self._silent >= _SILENT_LOOKS

    def is_slow(self, *, was_slow: bool) -> bool:
        """Returns whether Redis is slow by the last looks. was_slow: the last answer, which changes late."""
        if was_slow:
            return any(list(self._were_slow)[-_SLOW_LOOKS:])
        return sum(self._were_slow) >= _SLOW_LOOKS

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
