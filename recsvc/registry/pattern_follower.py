"""Copies new patterns from Redis into the pool of this process, and requests the patterns that are missing."""

import asyncio

from recsvc.reasons import PatternPool, claim_key_of, request_of
from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.runtime.rungs import Rung
from recsvc.store import PatternStore

POLL_SECONDS = 1.0

_NO_WORKER = "no reason worker of this model runs: start recsvc reason-worker with the same Redis and reason settings"
_NO_MODEL = "the language model of a reason worker does not answer: look at the worker's log and at the model's server"


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
        """Reads the patterns and the workers' reports, and requests patterns that were needed and are not there."""
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
        runs, is_away = await self._store.workers(self._author)
        self.condition.set(Rung.WORKER_AWAY, "" if runs else _NO_WORKER)
        self.condition.set(Rung.GENERATOR_AWAY, _NO_MODEL if is_away else "")
