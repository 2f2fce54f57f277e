"""Keeps the items of one process up to date with Redis."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from recsvc.domain.records import ItemChange
from recsvc.errors import StoreUnavailable
from recsvc.runtime.metrics import CATALOGUE_BEHIND
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import CatalogueStore

# How long a change can wait until this process sees it. Shops do not notice so little, and Redis has next to no work.
POLL_SECONDS = 0.02
# After a failure: fifty attempts a second would help nobody.
RETRY_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class CatalogueFollower(PeriodicTask):
    """Reads every change once at the start, and later changes as they arrive. Without Redis nothing changes.

    `start` returns when the items are up to date. If Redis is away it returns at once, and reads them later.

    Args:
        store: Where the changes are.
        apply: Applies changes, in any order; each may come more than once. If it raises, the same changes come again.
    """

    def __init__(self, store: CatalogueStore, apply: Callable[[Sequence[ItemChange]], Awaitable[None]]) -> None:
        super().__init__()
        self._store = store
        self._apply = apply
        self._last_applied: int | None = None
        self._behind = False

    @property
    def wait_seconds(self) -> float:
        """Longer after a failure."""
        return RETRY_SECONDS if self._behind else POLL_SECONDS

    async def step(self) -> None:
        """Applies the changes since the last step."""
        try:
            while not self.closing and await self._apply_page():
                pass
        except Exception as error:  # noqa: BLE001 - lists are still served, and the next step tries again
            if not self._behind:
                expected = isinstance(error, StoreUnavailable)
                _log.error("catalogue_behind", problem=str(error), exc_info=None if expected else error)
            self._behind = True
        else:
            self._behind = False
        CATALOGUE_BEHIND.set(self._behind)

    async def _apply_page(self) -> bool:
        """Applies one page of changes. Returns False if there was none."""
        if self._last_applied is None:
            # What changes during the reading comes again as a change.
            last = await self._store.last_change()
            async for page in self._store.read_all():
                await self._apply(page)
            self._last_applied = last
            return True
        news = await self._store.read_after(self._last_applied)
        if news is None:  # the stream does not reach back that far: read everything again
            self._last_applied = None
            return True
        last, changes = news
        if changes:
            await self._apply(changes)
        self._last_applied = last  # only now: changes that failed come again
        return bool(changes)
