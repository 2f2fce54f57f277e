"""Keeps one process on the bundles that the operator wants, whichever process was told."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable

import structlog

from recsvc.errors import BundleUnusable, StoreUnavailable
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import ModelStore, ServerProcess, WantedBundles

POLL_SECONDS = 0.25
# What failed is tried again: the bundle may be on its way into the folder.
RETRY_SECONDS = 5.0
REPORT_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class BundleFollower:
    """take: does what is wanted, any number of times. now: the bundle that answers, and all in memory."""

    def __init__(
        self,
        store: ModelStore,
        take: Callable[[WantedBundles], Awaitable[None]],
        now: Callable[[], tuple[str, tuple[str, ...]]],
    ) -> None:
        self._store = store
        self._take = take
        self._now = now
        self._taken = WantedBundles()
        self._problem = ""
        self._tried_at = self._reported_at = 0.0
        self._turn = asyncio.Lock()
        self._polling = PeriodicTask(self.catch_up, lambda: POLL_SECONDS)
        self._process_id = f"{socket.gethostname()}:{os.getpid()}"

    async def start(self) -> None:
        """Returns when what is wanted answers, or cannot."""
        await self._polling.start()

    async def close(self) -> None:
        """Says that the process ends."""
        await self._polling.close()
        try:
            await self._store.leave(self._process_id)
        except StoreUnavailable:
            return  # it is forgotten by itself

    async def catch_up(self) -> None:
        """Does what is wanted by now."""
        async with self._turn:
            try:
                wanted = await self._store.wanted()
                await self._follow_to(wanted)
                await self._report()
            except StoreUnavailable:
                return  # it goes on as it is; the store has counted the failure

    async def _follow_to(self, wanted: WantedBundles) -> None:
        again = self._problem and time.monotonic() - self._tried_at > RETRY_SECONDS
        if wanted == self._taken and not again:
            return
        self._tried_at = time.monotonic()
        try:
            await self._take(wanted)
            self._problem = ""
        except BundleUnusable as error:
            self._problem = str(error)
        except Exception as error:  # whatever it is, what answers goes on answering, and it is tried again
            self._problem = "it could not be done; the server's log says why"
            _log.error("bundles_failed", exc_info=error)
        self._taken, self._reported_at = wanted, 0.0
        _log.info("bundles", wanted=wanted.active, serving=self._now()[0], problem=self._problem)

    async def _report(self) -> None:
        if time.monotonic() - self._reported_at > REPORT_SECONDS:
            await self._store.report(ServerProcess(self._process_id, *self._now(), self._problem))
            self._reported_at = time.monotonic()
