"""Keeps one process on the bundles that the operator wants, whichever process got the request."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

import structlog

from recsvc.errors import BundleUnusable, StoreUnavailable
from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.runtime.process_name import process_name
from recsvc.runtime.rungs import Rung
from recsvc.store import ModelStore, ServerProcess, WantedBundles

POLL_SECONDS = 0.25
# After a failure: the bundle may still be on its way into the folder.
RETRY_SECONDS = 5.0
REPORT_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class BundleFollower(PeriodicTask):
    """Applies what Redis wants, and reports to Redis which bundles this process has.

    `start` returns when the wanted bundle answers, or when it has turned out to be unusable. `close` withdraws the
    report.

    Args:
        store: Where the wanted bundles are, and the reports.
        apply: Loads and activates the wanted bundles. May be called again for the same ones.
        state: Returns the id of the bundle that answers, and the ids of all bundles in memory.
        condition: Its problems are part of the report.
    """

    wait_seconds = POLL_SECONDS

    def __init__(
        self,
        store: ModelStore,
        apply: Callable[[WantedBundles], Awaitable[None]],
        state: Callable[[], tuple[str, tuple[str, ...]]],
        condition: ServiceCondition,
    ) -> None:
        super().__init__("bundles", condition)
        self._store = store
        self._apply = apply
        self._state = state
        self._applied = WantedBundles()
        self._problem = ""
        self._tried_at = self._reported_at = 0.0
        self._reported: ServerProcess | None = None
        self._turn = asyncio.Lock()
        # Containers of one host's network have one host name, and each has a process 1: a random part tells them apart.
        self._process_id = f"{process_name()}:{secrets.token_hex(2)}"

    async def close(self) -> None:
        """Ends the task, and tells Redis that the process ends."""
        await super().close()
        try:
            await self._store.leave(self._process_id)
        except StoreUnavailable:
            return  # reports expire

    async def step(self) -> None:
        """Applies what is wanted now. May also be called between the steps."""
        async with self._turn:
            await self._follow(await self._store.wanted())
            await self._report()

    @property
    def process(self) -> ServerProcess:
        """The state of this process."""
        return ServerProcess(self._process_id, *self._state(), self._problem, self.condition.problems())

    async def _follow(self, wanted: WantedBundles) -> None:
        if self._applied.is_lost_in(wanted):
            await self._store.restore(self._applied)
            self.condition.lost("bundles", 1, "the process has written back which bundle was activated")
            wanted = await self._store.wanted()
        retry = self._problem and time.monotonic() - self._tried_at > RETRY_SECONDS
        if wanted == self._applied and not retry:
            return
        self._tried_at = time.monotonic()
        try:
            await self._apply(wanted)
            self._problem = ""
        except BundleUnusable as error:
            self._problem = str(error)
        except Exception as error:  # noqa: BLE001 - the bundle that answers goes on, and a later step tries again
            self._problem = "it could not be done; the server's log says why"
            _log.error("bundles_failed", exc_info=error)
        self._applied = wanted
        # A previous bundle that cannot be kept loaded is a problem, but lists are of the wanted one.
        is_other = wanted.active not in ("", self._state()[0])
        self.condition.set(
            Rung.BUNDLE_UNUSABLE, f"the wanted bundle is not served: {self._problem}" if is_other else ""
        )
        log = _log.error if self._problem else _log.info  # an error: another bundle answers than the operator wants
        log("bundles", wanted=wanted.active, serving=self._state()[0], problem=self._problem)

    async def _report(self) -> None:
        process = self.process
        if process != self._reported or time.monotonic() - self._reported_at > REPORT_SECONDS:
            await self._store.report(process)
            self._reported, self._reported_at = process, time.monotonic()
