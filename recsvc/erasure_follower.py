"""Drops what one process keeps of users who were erased, whichever process was told."""

import asyncio
from collections.abc import Callable, Set

import structlog

from recsvc.errors import StoreUnavailable
from recsvc.store import ErasureStore

POLL_SECONDS = 0.1

_log = structlog.get_logger(__name__)


class ErasureFollower:
    """forget: takes hashes of erased users, as `recsvc.store.hash_of` makes them."""

    def __init__(self, store: ErasureStore, forget: Callable[[Set[int]], None]) -> None:
        self._store = store
        self._forget = forget
        # Not known yet: nothing is kept of anybody at the start, so what was before is no news.
        self._place: str | None = None
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._catch_up()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        self._ending.set()
        if self._task is not None:
            await self._task

    async def _follow(self) -> None:
        while not self._ending.is_set():
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._ending.wait()
            except TimeoutError:
                await self._catch_up()

    async def _catch_up(self) -> None:
        try:
            if self._place is None:
                self._place = await self._store.last()
            self._place, hashes = await self._store.after(self._place)
        except StoreUnavailable:
            return  # they come when Redis is back; the store has counted the failure
        if hashes:
            self._forget(hashes)
            _log.info("users_forgotten", erasures=len(hashes))
