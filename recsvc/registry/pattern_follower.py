"""Copies new patterns from Redis into the pool of this process, and requests the patterns that are missing."""

import asyncio

from recsvc.reasons import PatternPool, claim_key_of, request_of
from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import PatternStore

POLL_SECONDS = 1.0


class PatternFollower(PeriodicTask):
    """Keeps one pattern pool up to date. Without Redis the pool stays as it is.

    Args:
        store: Where the worker's patterns are.
        pool: Receives them.
        condition: Learns of failures.
    """

    wait_seconds = POLL_SECONDS

    def __init__(self, store: PatternStore, pool: PatternPool, condition: ServiceCondition) -> None:
        super().__init__("patterns", condition)
        self._store = store
        self._author = pool.author
        self._pool = pool
        self._last_read: dict[str, list[str]] = {}
        self._changed = asyncio.Event()

    async def wait_for_change(self) -> None:
        """Returns when the pool has changed, and after POLL_SECONDS if it has not."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def step(self) -> None:
        """Reads the patterns, and requests those that the pool was asked for and does not have."""
        patterns_by_claim = await self._store.all(self._author)
        if patterns_by_claim != self._last_read:  # seldom; to verify all patterns again takes milliseconds
            by_request = {request_of(claim): patterns for claim, patterns in patterns_by_claim.items()}
            self._pool.take({request: patterns for request, patterns in by_request.items() if request is not None})
            self._last_read = patterns_by_claim
            self._changed.set()
            self._changed = asyncio.Event()
        if self._pool.wanted:
            await self._store.want(self._author, map(claim_key_of, self._pool.wanted))
            self._pool.wanted.clear()
