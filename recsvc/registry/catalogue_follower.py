"""Keeps the items of one process up to date with Redis, and writes back what Redis has lost of them."""

import time
from collections.abc import Awaitable, Callable, Sequence

from recsvc.domain.records import ItemChange, ItemField
from recsvc.retrieval.inventory import Inventory
from recsvc.runtime.condition import ITEMS, ServiceCondition
from recsvc.runtime.metrics import CATALOGUE_BEHIND, CATALOGUE_DELAY, REDIS_RESTORED
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import CatalogueStore, Place

# How long a change can wait until this process sees it. Shops do not notice so little, and Redis has next to no work.
POLL_SECONDS = 0.02
# After a failure: fifty attempts a second would help nobody.
RETRY_SECONDS = 0.5
# How often the sizes of the hashes are compared: Redis may have evicted one of them, and kept the stream.
CHECK_SECONDS = 0.5
# Of the time, at most. A Redis that goes on evicting would otherwise keep the process busy with writing back.
_RESTORING_SHARE = 0.1


class CatalogueFollower(PeriodicTask):
    """Reads every change once at the start, and later changes as they arrive. Without Redis nothing changes.

    `start` returns when the items are up to date. If Redis is away it returns at once, and reads them later.

    If Redis went back to an earlier state, was emptied, or has evicted items, then everything is read again, and the
    values that this process has and Redis has not are written back. Their set times make this safe.

    Args:
        store: Where the changes are.
        apply: Applies changes, in any order; each may come more than once. If it raises, the same changes come again.
        inventory: Returns what this process has applied so far.
        condition: Learns of failures and losses.
    """

    def __init__(
        self,
        store: CatalogueStore,
        apply: Callable[[Sequence[ItemChange]], Awaitable[None]],
        inventory: Callable[[], Inventory],
        condition: ServiceCondition,
    ) -> None:
        super().__init__(ITEMS, condition)
        self._store = store
        self._apply = apply
        self._inventory = inventory
        self._place: Place | None = None
        self._missing: list[ItemChange] = []  # in Redis
        self._is_failing = False
        self._next_check = self._next_restoration = 0.0

    @property
    def wait_seconds(self) -> float:
        """Longer after a failure."""
        return RETRY_SECONDS if self._is_failing else POLL_SECONDS

    async def step(self) -> None:
        """Applies the changes since the last step, and then writes back what Redis has lost."""
        try:
            while not self.closing and await self._apply_page():
                pass
            if self._missing and time.monotonic() >= self._next_restoration:
                await self._restore()
        except Exception:
            self._set_failing(failing=True)
            raise
        self._set_failing(failing=False)

    async def _apply_page(self) -> bool:
        """Applies one page of changes. Returns whether there may be more."""
        if self._place is None:
            self._place = await self._read_everything()
            return True
        written = list(self._store.unfollowed.items())
        news = await self._store.read_after(self._place)
        if news is None:
            self._place = None
            return True
        place, changes = news
        if changes:
            await self._apply(changes)
            self._store.followed(changes)
            CATALOGUE_DELAY.observe(max(time.time() - place.seconds, 0.0))
        self._place = place  # only now: changes that failed come again
        # At the end of the stream, all has been read that this process had written before.
        if not changes and not self._missing and (any(map(self._is_unfollowed, written)) or await self._has_shrunk()):
            self._place = None
        return bool(changes) or self._place is None

    async def _read_everything(self) -> Place:
        """Applies all that Redis has and this process has not, and notes the reverse. Returns the place."""
        place = await self._store.last_place()  # what changes during the reading comes again as a change
        applied = self._inventory().changes
        missing, news = {**applied, **self._store.unfollowed}, []
        async for page in self._store.read_all():
            for change in page:
                key = change.item_id, change.field
                if key in missing and missing[key].set_time <= change.set_time:
                    del missing[key]
                if applied.get(key) != change:
                    news.append(change)
            self._store.followed(page)
        if news:
            await self._apply(news)  # all at once, because each application copies the items
        if missing:
            self._missing = list(missing.values())
            self.condition.lost(ITEMS, len(missing), "the processes that are running write back what they know")
        return place

    async def _restore(self) -> None:
        """Writes the missing values back."""
        began = time.monotonic()
        REDIS_RESTORED.labels(ITEMS).inc(await self._store.restore(self._missing))
        self._missing = []
        ended = time.monotonic()
        self._next_restoration = ended + (ended - began) / _RESTORING_SHARE

    def _is_unfollowed(self, written: tuple[tuple[str, ItemField], ItemChange]) -> bool:
        key, change = written
        return self._store.unfollowed.get(key) is change

    async def _has_shrunk(self) -> bool:
        """Returns whether Redis has fewer items than this process. Looks twice a second."""
        now = time.monotonic()
        if now < self._next_check:
            return False
        self._next_check = now + CHECK_SECONDS
        sizes, counts = await self._store.sizes(), self._inventory().counts
        return any(sizes[field] < counts[field] for field in ItemField)

    def _set_failing(self, *, failing: bool) -> None:
        self._is_failing = failing
        CATALOGUE_BEHIND.set(failing)
