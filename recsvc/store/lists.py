"""The last lists of each user, kept for a while: what was shown, and what made it. Lists in which chance had a part go
to the event log too.

Writing is off the path of a request: lists gather for a moment and go to Redis together.
"""

import asyncio
import time
from collections import deque
from collections.abc import Set

from recsvc.domain.records import ServedList
from recsvc.errors import StoreUnavailable
from recsvc.runtime.metrics import LISTS_LOST
from recsvc.store import keys, packing
from recsvc.store.connection import RedisClient, operation
from recsvc.store.event_log import EventLog
from recsvc.store.history import hash_of

KEPT_LISTS = 20
KEPT_SECONDS = 86_400
GATHER_SECONDS = 0.05
# More than a process can make while Redis restarts would be memory for nothing.
_WAITING = 10_000
_BATCH = 500
# News of an erasure reaches a process long before this.
ON_THE_WAY_SECONDS = 5.0


class ServedListStore:
    """For the event loop's thread alone."""

    def __init__(self, client: RedisClient, namespace: str, event_log: EventLog) -> None:
        self._client = client
        self._namespace = namespace
        self._event_log = event_log
        self._waiting: deque[ServedList] = deque()
        # Whose lists went out when, of late: one of them may have been erased before its list arrived.
        self._written: deque[tuple[float, str]] = deque()
        self._writing: asyncio.Task[None] | None = None

    def keep(self, given: ServedList) -> None:
        """Keeps a list, a moment later; if Redis does not take it, it is lost and counted."""
        if len(self._waiting) >= _WAITING:
            LISTS_LOST.inc()
            return
        self._waiting.append(given)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def of_user(self, user_id: str) -> list[ServedList]:
        """What is kept of a user, newest first. Raises StoreUnavailable."""
        with operation("read_lists"):
            packed = await self._client.execute_command("LRANGE", self._key(user_id), 0, -1)
        return [packing.unpack_given_list(each, user_id) for each in packed]

    async def forget(self, hashes: Set[int]) -> None:
        """Lets nothing of erased users, who are told by `hash_of`, come back by a list that was on its way.

        Raises StoreUnavailable.
        """
        self._waiting = deque(given for given in self._waiting if hash_of(given.user_id) not in hashes)
        erased = {user_id for _, user_id in self._written if hash_of(user_id) in hashes}
        with operation("forget_lists"):
            for user_id in erased:
                await self._client.execute_command("DEL", self._key(user_id))
                await self._event_log.erase(user_id)

    async def close(self) -> None:
        """Returns when nothing is waiting."""
        while self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            await asyncio.sleep(GATHER_SECONDS)
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                pipeline = self._client.pipeline(transaction=False)
                for given in batch:
                    key = self._key(given.user_id)
                    pipeline.execute_command("LPUSH", key, packing.pack_given_list(given))
                    pipeline.execute_command("LTRIM", key, 0, KEPT_LISTS - 1)
                    pipeline.execute_command("EXPIRE", key, KEPT_SECONDS)
                now = time.monotonic()
                self._written.extend((now, given.user_id) for given in batch)
                while now - self._written[0][0] > ON_THE_WAY_SECONDS:
                    self._written.popleft()
                try:
                    with operation("keep_lists"):
                        await pipeline.execute()
                        LISTS_LOST.inc(await self._event_log.append_lists([given for given in batch if given.random]))
                except StoreUnavailable:
                    LISTS_LOST.inc(len(batch))
        finally:
            self._writing = None

    def _key(self, user_id: str) -> str:
        return keys.lists(self._namespace, user_id)
