"""Keeps one process's pool of patterns as the reason worker has filled it, and asks it for what is lacking."""

import asyncio

import structlog

from recsvc.errors import StoreUnavailable
from recsvc.reasons import PatternPool, claim_key_of, request_of
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import PatternStore

POLL_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class PatternFollower:
    """While Redis is away the pool stays as it was."""

    def __init__(self, store: PatternStore, pool: PatternPool) -> None:
        self._store = store
        self._author = pool.author
        self._pool = pool
        self._taken: dict[str, list[str]] = {}
        self._news = asyncio.Event()
        self._polling = PeriodicTask(self._catch_up, lambda: POLL_SECONDS)

    async def start(self) -> None:
        await self._polling.start()

    async def close(self) -> None:
        await self._polling.close()

    async def news(self) -> None:
        """Returns when something has come, or, to say that nothing has, within POLL_SECONDS or so."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _catch_up(self) -> None:
        try:
            written = await self._store.all(self._author)
            if written != self._taken:  # it seldom is, and to license it all again takes milliseconds
                requests = {request_of(cell): patterns for cell, patterns in written.items()}
                self._pool.take({request: each for request, each in requests.items() if request is not None})
                self._taken = written
                self._news.set()
                self._news = asyncio.Event()
            if self._pool.wanted:
                await self._store.want(self._author, map(claim_key_of, self._pool.wanted))
                self._pool.wanted.clear()
        except StoreUnavailable:
            return  # the store has counted the failure
