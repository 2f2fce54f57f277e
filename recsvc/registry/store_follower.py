"""Notices that Redis is away, slow, full or read-only, has lost data or may lose some, and says so."""

from contextlib import suppress

from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.runtime.condition import EVICTED, ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.runtime.rungs import Rung
from recsvc.store import UserStore

POLL_SECONDS = 0.5

_RESTORED = "items, erasures, switches and the active bundle are written back; events and profiles may be missing"
# Of these Redis shows one at a time.
_REFUSALS = {
    Rung.REDIS_AWAY: "Redis does not answer: look whether it runs, and whether this machine reaches it",
    Rung.REDIS_ACCESS_REFUSED: "Redis refuses access: look at the password of redis_url and at the ACL of its user; "
    "recsvc doctor names the commands that are missing",
    Rung.REDIS_READ_ONLY: "Redis takes no writes: it is a replica, or has fewer replicas than min-replicas-to-write",
    Rung.REDIS_FULL: "the memory of Redis is full: give it more, or export the event log",
    Rung.REDIS_DISK_FULL: "Redis cannot write its files: look at its disk and at its log",
}
_SLOW = "Redis takes longer than half of store_timeout for most answers: look at its load and at the network"


class StoreFollower(PeriodicTask):
    """Looks at Redis twice a second: whether it answers, takes writes, went back, evicts keys, or may evict some.

    Args:
        store: Looks.
        condition: Learns the results.
    """

    wait_seconds = POLL_SECONDS

    def __init__(self, store: UserStore, condition: ServiceCondition) -> None:
        super().__init__("redis", condition)
        self._store = store
        self._watch = store.watch
        self._was_checked = False

    async def close(self) -> None:
        """Ends the task."""
        await super().close()
        await self._watch.close()

    async def step(self) -> None:
        """Looks once."""
        self.condition.refresh()
        if evicted := await self._watch.count_evicted():
            self.condition.lost(EVICTED, evicted, "histories, profiles and logged events may be missing")
        eviction = self._watch.eviction
        if eviction is not None:
            self.condition.evicts(eviction.policy if eviction.may_evict else "")
        try:
            has_gone_back = await self._watch.has_gone_back()
        except StoreUnavailable as error:
            await self._show_refusal(error.rung)
            raise
        self._show(None)
        if not self._was_checked:
            await self._check()
        if has_gone_back:
            self._was_checked = False
            self.condition.lost("state", 1, _RESTORED)
        if self.condition.is_on(Rung.EVENT_LOG_FULL):
            await self._store.event_log.look_for_room()

    async def _show_refusal(self, refusal: str) -> None:
        """Shows why Redis refused the last look. A password that never was the right one ends the process."""
        if refusal == Rung.REDIS_ACCESS_REFUSED:
            with suppress(StoreUnavailable):  # accepted before: it may be accepted again
                await self._check()
        rung = Rung(refusal) if refusal else None
        if rung is not Rung.REDIS_AWAY or self._watch.is_away:
            self._show(rung)

    async def _check(self) -> None:
        """Ends the process if Redis can never be used. It may have been away at the start, and not been checked."""
        try:
            await self._store.check_access()
        except SettingsError as error:
            self.condition.unusable(error)
        self._was_checked = True

    def _show(self, refusal: Rung | None) -> None:
        for rung, problem in _REFUSALS.items():
            self.condition.set(rung, problem if rung is refusal else "")
        was_slow = self.condition.is_on(Rung.REDIS_SLOW)
        is_slow = refusal is not Rung.REDIS_AWAY and self._watch.is_slow(was_slow=was_slow)
        self.condition.set(Rung.REDIS_SLOW, _SLOW if is_slow else "")
