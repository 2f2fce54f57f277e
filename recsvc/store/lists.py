"""Keeps the last lists of each user for a while: the items that were shown, and what produced them.

Randomised lists and those of searches also go to the event log. Writing is off the path of a request: lists are
gathered for a moment and written to Redis together.
"""

import asyncio
import time
from collections import deque
from collections.abc import Set

from recsvc.domain.records import ServedList
from recsvc.errors import StoreUnavailable
from recsvc.runtime.metrics import LISTS_LOST
from recsvc.runtime.work_queue import WorkQueue
from recsvc.store import keys, log_packing
from recsvc.store.connection import RedisClient, operation
from recsvc.store.event_log import EventLog
from recsvc.store.history import hash_of

KEPT_LISTS = 20  # of one user
KEPT_SECONDS = 86_400
GATHER_SECONDS = 0.05
_MAX_WAITING = 10_000  # lists; more than a process makes while Redis restarts
_BATCH_SIZE = 500  # lists
IN_FLIGHT_SECONDS = 5.0  # after which a list has arrived; news of an erasure arrives much sooner


class ServedListStore:
    """The lists of all users. For the event loop's thread alone."""

    def __init__(self, client: RedisClient, namespace: str, event_log: EventLog) -> None:
        self._client = client
        self._namespace = namespace
        self._event_log = event_log
        self._queue: WorkQueue[ServedList] = WorkQueue(self._write, largest=_BATCH_SIZE, gather=self._gather)
        # When each user's list was sent in the last seconds: that user may have been erased before the list arrived.
        self._sent: deque[tuple[float, str]] = deque()

    def keep(self, served: ServedList) -> None:
        """Keeps a list, a moment later. If Redis does not take it, it is lost and counted."""
        if len(self._queue) >= _MAX_WAITING:
            LISTS_LOST.inc()
            return
        self._queue.put(served)

    async def of_user(self, user_id: str) -> list[ServedList]:
        """The lists kept of a user, newest first. Raises StoreUnavailable."""
        with operation("read_lists"):
            packed_lists = await self._client.execute_command("LRANGE", self._key(user_id), 0, -1)
        return [log_packing.unpack_served_list(packed, user_id) for packed in packed_lists]

    async def forget(self, hashes: Set[int]) -> None:
        """Keeps lists that were on their way from bringing back erased users.

        Args:
            hashes: `hash_of` of the ids of the erased users.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        self._queue.drop(lambda served: hash_of(served.user_id) in hashes)
        erased = {user_id for _, user_id in self._sent if hash_of(user_id) in hashes}
        with operation("forget_lists"):
            for user_id in erased:
                await self._client.execute_command("DEL", self._key(user_id))
                await self._event_log.erase(user_id)

    async def close(self) -> None:
        """Returns when no list is waiting."""
        await self._queue.close()

    async def _gather(self) -> None:
        if len(self._queue) < _BATCH_SIZE:
            await asyncio.sleep(GATHER_SECONDS)

    async def _write(self, batch: list[ServedList]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for served in batch:
            key = self._key(served.user_id)
            pipeline.execute_command("LPUSH", key, log_packing.pack_served_list(served))
            pipeline.execute_command("LTRIM", key, 0, KEPT_LISTS - 1)
            pipeline.execute_command("EXPIRE", key, KEPT_SECONDS)
        now = time.monotonic()
        self._sent.extend((now, served.user_id) for served in batch)
        while self._sent and now - self._sent[0][0] > IN_FLIGHT_SECONDS:
            self._sent.popleft()
        try:
            with operation("keep_lists"):
                await pipeline.execute()
                LISTS_LOST.inc(await self._event_log.append_lists([served for served in batch if served.logged]))
        except StoreUnavailable:
            LISTS_LOST.inc(len(batch))

    def _key(self, user_id: str) -> str:
        return keys.lists(self._namespace, user_id)
