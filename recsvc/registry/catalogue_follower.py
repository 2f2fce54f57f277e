"""Keeps one process's catalogue as the shop says, whichever process the shop said it to."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from recsvc.domain.records import ItemChange
from recsvc.errors import StoreUnavailable
from recsvc.runtime.metrics import CATALOGUE_BEHIND
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import CatalogueStore

# How long a change may wait until it is seen: a fraction of what a shop would notice, and next to no work for Redis.
POLL_SECONDS = 0.02
# After a failure: nobody is helped by fifty attempts a second.
RETRY_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class CatalogueFollower:
    """Reads all changes once, and then each as it comes; while Redis is away the catalogue stays as it was.

    apply: takes changes in, any number of times and in any order.
    """

    def __init__(self, store: CatalogueStore, apply: Callable[[Sequence[ItemChange]], Awaitable[None]]) -> None:
        self._store = store
        self._apply = apply
        self._seen: int | None = None
        self._behind = False
        self._polling = PeriodicTask(self._catch_up, lambda: RETRY_SECONDS if self._behind else POLL_SECONDS)

    async def start(self) -> None:
        """Returns when the catalogue is up to date; at once, and tries again later, when Redis is away."""
        await self._polling.start()

    async def close(self) -> None:
        """Returns when nothing is being read any more."""
        await self._polling.close()

    async def _catch_up(self) -> None:
        try:
            while not self._polling.ending and await self._step():
                pass
        except Exception as error:  # whatever it is, lists go on, and it is tried again
            if not self._behind:
                foreseen = isinstance(error, StoreUnavailable)
                _log.error("catalogue_behind", problem=str(error), exc_info=None if foreseen else error)
            self._behind = True
        else:
            self._behind = False
        CATALOGUE_BEHIND.set(self._behind)

    async def _step(self) -> bool:
        """Takes in one page. False: there was nothing."""
        if self._seen is None:
            # What changes while it is being read comes again as a change.
            last = await self._store.last_change()
            async for page in self._store.read_all():
                await self._apply(page)
            self._seen = last
            return True
        found = await self._store.read_after(self._seen)
        if found is None:
            self._seen = None
            return True
        last, changes = found
        if changes:
            await self._apply(changes)
        self._seen = last  # only now: what failed comes again
        return bool(changes)
