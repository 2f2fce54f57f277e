"""Drops what one process keeps of users who were erased, whichever process was told."""

from collections.abc import Awaitable, Callable, Set

import structlog

from recsvc.errors import StoreUnavailable
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import ErasureStore

POLL_SECONDS = 0.1

_log = structlog.get_logger(__name__)


class ErasureFollower:
    """forget: takes hashes of erased users, as `recsvc.store.hash_of` makes them."""

    def __init__(self, store: ErasureStore, forget: Callable[[Set[int]], Awaitable[None]]) -> None:
        self._store = store
        self._forget = forget
        # Not known yet: nothing is kept of anybody at the start, so what was before is no news.
        self._place: str | None = None
        self._polling = PeriodicTask(self._catch_up, lambda: POLL_SECONDS)

    async def start(self) -> None:
        await self._polling.start()

    async def close(self) -> None:
        await self._polling.close()

    async def _catch_up(self) -> None:
        try:
            if self._place is None:
                self._place = await self._store.last()
            place, hashes = await self._store.after(self._place)
            if hashes:
                await self._forget(hashes)
                _log.info("users_forgotten", erasures=len(hashes))
            self._place = place
        except StoreUnavailable:
            return  # they come again when Redis is back; the store has counted the failure
