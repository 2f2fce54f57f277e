"""Makes one process drop users who were erased, whichever process got the request."""

from collections.abc import Awaitable, Callable, Set

import structlog

from recsvc.errors import StoreUnavailable
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import ErasureStore

POLL_SECONDS = 0.1

_log = structlog.get_logger(__name__)


class ErasureFollower(PeriodicTask):
    """Reads the erasures since the last step.

    Args:
        store: Where the erasures are.
        forget: Drops what the process keeps of erased users. Takes their hashes, see `recsvc.store.hash_of`.
    """

    wait_seconds = POLL_SECONDS

    def __init__(self, store: ErasureStore, forget: Callable[[Set[int]], Awaitable[None]]) -> None:
        super().__init__()
        self._store = store
        self._forget = forget
        # None until Redis was read once. The process keeps nothing of anybody at its start, so older erasures do not
        # matter.
        self._place: str | None = None

    async def step(self) -> None:
        """Forgets the users who were erased since the last step."""
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
