"""The supervisor of `recsvc serve --workers N`: worker processes on one port, one private Redis, one page of metrics.

Workers are started with exec: gRPC and torch do not survive a fork. The supervisor imports neither of them. It answers
no calls, so the port answers as long as one worker does.

A worker that cannot be started with its settings ends everything with its error. One that crashes is started again.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector

import recsvc
from recsvc.access.listening import check_addresses
from recsvc.access.metrics_page import open_metrics_page
from recsvc.access.opening import open_access
from recsvc.runtime.metrics_sum import Page, add_up, sum_of
from recsvc.runtime.reserved_port import reserved_port
from recsvc.runtime.worker_link import read_metrics
from recsvc.runtime.worker_slot import WorkerSlot
from recsvc.settings import Settings
from recsvc.store.embedded import embedded_redis

# After its drain and grace a worker still writes what is under way and closes its connections.
_CLOSING_SECONDS = 10.0
_PAGE_SECONDS = 5.0
# A worker takes one core. The libraries read these when they are loaded, and would start a thread for each core.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")

_log = structlog.get_logger(__name__)


async def supervise(settings: Settings, flags: Mapping[str, object], unusable_code: int) -> None:
    """Runs the workers until SIGTERM or SIGINT. A second signal ends them at once.

    Args:
        settings: Of the service.
        flags: The settings that came from the command line, by name.
        unusable_code: The exit code of a worker that cannot be started with its settings.

    Raises:
        SettingsError: A setting cannot be used, here or in a worker.
        StoreUnavailable: A private Redis does not start.
        WorkersFailing: Workers end again and again, and none answers.
    """
    signals: asyncio.Queue[int] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    await asyncio.to_thread(check_addresses, settings)
    async with AsyncExitStack() as stack:
        reserving = reserved_port(settings.host, settings.port, shared=settings.reuse_port)
        port = await asyncio.to_thread(stack.enter_context, reserving)  # it may ask a name server
        access = await stack.enter_async_context(open_access(settings, {}))
        workers = _Workers(settings.workers)
        registry = CollectorRegistry()
        await asyncio.to_thread(registry.register, _MetricsOfAll(workers, asyncio.get_running_loop()))
        metrics_port = stack.enter_context(open_metrics_page(settings, access, registry))
        redis_url = None if settings.redis_url is None else settings.redis_url.get_secret_value()
        if redis_url is None:
            redis_url = await stack.enter_async_context(embedded_redis(settings.data_dir))
        if not signals.empty():
            return
        await workers.run(
            command=partial(_command, worker_flags(flags, port)),
            environment=worker_environment(settings, redis_url),
            unusable_code=unusable_code,
            facts={"host": settings.host, "port": port, "metrics_port": metrics_port},
            signals=signals,
            stop_seconds=settings.drain_seconds + settings.grace_seconds + _CLOSING_SECONDS,
        )
    _log.info("stopped")


class _Workers:
    """All workers, and what the ended ones had counted."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._slots: list[WorkerSlot] = []
        self._ended: Page = ()
        self._all_served = False

    async def run(
        self,
        *,
        command: Callable[[int, int], Sequence[str]],
        environment: Mapping[str, str],
        unusable_code: int,
        facts: Mapping[str, object],
        signals: "asyncio.Queue[int]",
        stop_seconds: float,
    ) -> None:
        """Runs the workers until a signal comes. See `supervise`."""

        def on_serving() -> None:
            if not self._all_served and all(slot.facts for slot in self._slots):
                self._all_served = True
                _log.info("serving", **facts, workers=self._count, **(self._slots[0].facts or {}))

        self._slots += [
            WorkerSlot(
                number,
                command=command,
                environment=environment,
                unusable_code=unusable_code,
                on_serving=on_serving,
                on_ended=self._keep,
                others_serve=self._any_serves,
            )
            for number in range(1, self._count + 1)
        ]
        running = [asyncio.create_task(slot.keep_running()) for slot in self._slots]
        signalled = asyncio.create_task(signals.get())
        await asyncio.wait({*running, signalled}, return_when=asyncio.FIRST_COMPLETED)
        _log.info("stopping", stop_seconds=stop_seconds)
        await self._stop(running, signalled, signals, stop_seconds)
        for task in running:
            task.result()  # raises why a worker cannot be run

    async def pages(self) -> tuple[dict[str, Page], Page]:
        """Returns the metrics of each worker that answers, and the counts of those that have ended."""
        pages = await asyncio.gather(*(slot.read() for slot in self._slots))
        return {str(slot.number): page for slot, page in zip(self._slots, pages, strict=True) if page}, self._ended

    async def _stop(
        self,
        running: "list[asyncio.Task[None]]",
        signalled: "asyncio.Task[int]",
        signals: "asyncio.Queue[int]",
        seconds: float,
    ) -> None:
        for slot in self._slots:
            slot.stop()
        if signalled.done():
            signalled = asyncio.create_task(signals.get())
        ended = asyncio.create_task(asyncio.wait(running))
        await asyncio.wait({ended, signalled}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            for slot in self._slots:
                slot.stop(at_once=True)
            await asyncio.wait({ended}, timeout=_CLOSING_SECONDS)
        if not ended.done():
            for slot in self._slots:
                slot.kill()
        await ended
        signalled.cancel()

    def _keep(self, page: Page) -> None:
        self._ended = sum_of((self._ended, page))

    def _any_serves(self) -> bool:
        return any(slot.facts for slot in self._slots)


class _MetricsOfAll(Collector):
    """The page of metrics, as prometheus_client asks for it from threads of the page."""

    def __init__(self, workers: _Workers, loop: asyncio.AbstractEventLoop) -> None:
        self._workers = workers
        self._loop = loop

    def collect(self) -> Iterable[Metric]:
        reading = asyncio.run_coroutine_threadsafe(self._workers.pages(), self._loop)
        pages, ended = reading.result(timeout=_PAGE_SECONDS)
        return add_up(pages, ended, read_metrics())

    def describe(self) -> Iterable[Metric]:
        """Names the metrics, so that a page can be asked for some of them."""
        return REGISTRY.collect()


def worker_flags(flags: Mapping[str, object], port: int) -> list[str]:
    """Returns the flags of a worker: those of the supervisor with its own port, and no page of metrics."""
    # A URL may hold a password, and flags can be seen: it is a variable.
    kept = {name: value for name, value in flags.items() if name != "redis_url"}
    settings = {**kept, "port": port, "reuse_port": "true", "metrics_port": -1, "workers": 1}
    return [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]


def worker_environment(settings: Settings, redis_url: str) -> dict[str, str]:
    """Returns the variables of a worker. Numbers of threads that the operator has set are kept."""
    threads = dict.fromkeys(_THREAD_VARIABLES, str(settings.search_threads))
    return {**threads, **os.environ, "RECSVC_REDIS_URL": redis_url}


def _command(flags: Sequence[str], number: int, descriptor: int) -> list[str]:
    """Returns the command line of one worker."""
    # `python -m` looks into the current folder first: only if the code that runs comes from there.
    safe_path = [] if Path.cwd() == Path(recsvc.__file__).resolve().parents[1] else ["-P"]
    return [sys.executable, *safe_path, "-m", "recsvc", "serve", f"--supervised={number}:{descriptor}", *flags]
