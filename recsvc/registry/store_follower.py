"""Notices that Redis has lost data, or may lose some, and says so."""

from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store.watch import StoreWatch

POLL_SECONDS = 0.5

_RESTORED = "items, erasures, switches and the active bundle are written back; events and profiles may be missing"


class StoreFollower(PeriodicTask):
    """Looks at Redis twice a second: whether it went back to an earlier state, evicts keys, or may evict some.

    Args:
        watch: Looks.
        condition: Learns what was found.
    """

    wait_seconds = POLL_SECONDS

    def __init__(self, watch: StoreWatch, condition: ServiceCondition) -> None:
        super().__init__("redis", condition)
        self._watch = watch

    async def close(self) -> None:
        """Ends the task."""
        await super().close()
        await self._watch.close()

    async def step(self) -> None:
        """Looks once."""
        if evicted := await self._watch.count_evicted():
            self.condition.lost("evicted", evicted, "histories, profiles and logged events may be missing")
        eviction = self._watch.eviction
        if eviction is not None:
            self.condition.evicts(eviction.policy if eviction.may_evict else "")
        if await self._watch.has_gone_back():
            self.condition.lost("state", 1, _RESTORED)
