"""One server process: opens the store and the bundle, serves over gRPC, and stops in order.

It listens only once it can answer. A refused connection means that it is still starting.
On SIGTERM or SIGINT, health says NOT_SERVING and calls are still accepted for `drain_seconds`. Accepted calls then get
`grace_seconds` to finish. A second signal ends all waiting.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog
import torch
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from recsvc import __version__
from recsvc.access.listening import check_addresses
from recsvc.access.metrics_page import open_metrics_page
from recsvc.access.opening import Access, open_access
from recsvc.errors import SettingsError
from recsvc.registry.backend import Backend
from recsvc.runtime.metrics import BUILD_INFO
from recsvc.runtime.tracing import start_tracing, stop_tracing
from recsvc.runtime.worker_link import WorkerLink
from recsvc.service import METHODS, SERVICE_NAMES, add_services, unknown_methods
from recsvc.service.credentials import server_credentials
from recsvc.service.health import HealthService
from recsvc.service.interceptor import CallInterceptor
from recsvc.settings import Settings
from recsvc.store import UserStore, open_store

_MAX_MESSAGE_BYTES = 4 * 1024 * 1024  # a full batch of events has some 0.6 MB

# The event loop and the search thread take turns. At Python's 5 ms a batch of a dozen products could wait for 60 ms.
_SWITCH_SECONDS = 0.0005
# Before a server stops, its answers are held until all calls that were sent are taken, but no longer than this.
_HOLD_SECONDS = 0.5
# The time in which callers get the message that the server stops. Only then they get their answers.
_GOAWAY_SECONDS = 0.05
# A collector that is away must not hold up the end of a process by more than this.
_LAST_SPANS_SECONDS = 2.0

# Calls in gRPC's core, some 10 kB each. Beyond the first number the core answers CANCELLED to a part of them, beyond
# the second to all. Only a flood that leaves no time for refusals comes so far.
_MOST_PENDING = 6_000, 10_000
_OPEN_ACCESS = Access(gate=None, certificates=None)

_log = structlog.get_logger(__name__)


async def serve(settings: Settings, link: WorkerLink | None = None) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        settings: Of this process.
        link: To the supervisor, if this process is a worker.

    Raises:
        SettingsError: A setting cannot be used, or others could reach the service without TLS or keys. It may
            show late: Redis was away, and then refused the password.
        BundleError: The bundle cannot be used.
        BundleUnusable: A bundle that a placement names is missing or cannot be used.
        TextEncoderError: The text encoder cannot be loaded, or is not the one of the bundle.
        StoreUnavailable: A private Redis does not start.
    """
    BUILD_INFO.labels(__version__).set(1)
    sys.setswitchinterval(_SWITCH_SECONDS)
    torch.set_num_threads(settings.search_threads)
    stop = _Stop()
    # Before Redis is opened: a private redis-server that is still starting must not outlive this process.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.on_signal)
    if link is not None:
        link.on_stop(lambda at_once: loop.call_soon_threadsafe(stop.ask, at_once))
    await asyncio.to_thread(check_addresses, settings)
    async with (
        _traced(settings),
        open_access(settings, METHODS) as access,
        open_store(
            settings.redis_address,
            settings.data_dir,
            settings.namespace,
            history_limit=settings.history_limit,
            timeout_seconds=settings.store_timeout,
            durability=settings.durability,
        ) as store,
        _started_backend(settings, store) as backend,
    ):
        if stop.requested.is_set():  # while the bundle was loading
            return
        with open_metrics_page(settings, access) as metrics_port:
            async with listening(settings, backend, stop.at_once, access) as port:
                facts = {
                    "bundle_id": backend.registry.bundle_id,
                    "version": __version__,
                    "tls": access.certificates is not None,
                    "keys": settings.checks_callers,
                }
                if link is None:
                    _log.info("serving", host=settings.host, port=port, metrics_port=metrics_port, **facts)
                else:
                    _log.info("worker_serving", port=port, **facts)
                    link.say_serving(facts)
                problem = await _stop_or_problem(stop, backend)
                _log.info("stopping", drain_seconds=settings.drain_seconds, grace_seconds=settings.grace_seconds)
    if problem is not None:
        raise problem
    _log.info("stopped")


async def _stop_or_problem(stop: "_Stop", backend: Backend) -> SettingsError | None:
    """Returns None when the process is asked to stop, or why it can never do its work."""
    requested = asyncio.ensure_future(stop.requested.wait())
    unusable = asyncio.ensure_future(backend.store.condition.wait_unusable())
    await asyncio.wait((requested, unusable), return_when=asyncio.FIRST_COMPLETED)
    requested.cancel()
    unusable.cancel()
    return None if stop.requested.is_set() else unusable.result()


@asynccontextmanager
async def listening(
    settings: Settings, backend: Backend, stop_at_once: asyncio.Event, access: Access = _OPEN_ACCESS
) -> AsyncIterator[int]:
    """Runs a gRPC server with health and reflection, and yields its port. Stops it in order at the end.

    Args:
        settings: Where and how to listen.
        backend: Answers the calls.
        stop_at_once: Ends all waiting while it stops.
        access: How callers are checked, and TLS.

    Raises:
        SettingsError: The port is in use.
    """
    interceptor = CallInterceptor(settings.max_concurrent_requests, access.gate)
    server = unknown_methods.make_server([interceptor], _options(settings))
    interceptor.take_calls_of(server)
    add_services(server, backend)
    health_service = HealthService()
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    for name in ("", *SERVICE_NAMES):
        await health_service.set(name, health_pb2.HealthCheckResponse.SERVING)
    await health_service.show(backend.store.condition)
    reflection.enable_server_reflection((*SERVICE_NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    try:
        port = _bind(server, settings, access)
    except SettingsError:
        await server.start()  # grpc.aio frees a server only if it was started and stopped
        await server.stop(None)
        raise
    await server.start()
    showing = asyncio.create_task(health_service.follow(backend.store.condition))
    try:
        yield port
    finally:
        showing.cancel()
        await health_service.enter_graceful_shutdown()
        await _wait(stop_at_once, settings.drain_seconds)
        health_service.end_watches()
        await interceptor.hold_answers(min(_HOLD_SECONDS, settings.grace_seconds))
        stopping = asyncio.ensure_future(server.stop(settings.grace_seconds))
        await _wait(stop_at_once, min(_GOAWAY_SECONDS, settings.grace_seconds))
        interceptor.release_answers()
        cut_short = asyncio.ensure_future(stop_at_once.wait())
        await asyncio.wait((stopping, cut_short), return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            await server.stop(None)
        await stopping
        cut_short.cancel()
        await interceptor.ended()


class _Stop:
    """Counts signals: the first asks for an orderly stop, the second for a stop at once."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.at_once = asyncio.Event()

    def on_signal(self) -> None:
        self.ask(self.requested.is_set())

    def ask(self, at_once: bool) -> None:  # noqa: FBT001 - a callback
        """Asks for a stop. A supervisor that asks again for the same one changes nothing, as a second signal would."""
        self.requested.set()
        if at_once:
            self.at_once.set()


@asynccontextmanager
async def _started_backend(settings: Settings, store: UserStore) -> AsyncIterator[Backend]:
    # A bundle stays for long: no garbage collection needs to look at its objects.
    backend = await asyncio.to_thread(Backend, settings.serving_config(), store, gc.freeze)
    try:
        await backend.start()
        gc.collect()
        yield backend
    finally:
        await backend.close()


@asynccontextmanager
async def _traced(settings: Settings) -> AsyncIterator[None]:
    """Traces calls, if a collector is set. Sends the last spans at the end."""
    if settings.trace_endpoint:
        await asyncio.to_thread(start_tracing, settings.trace_endpoint, settings.trace_share, version=__version__)
    try:
        yield
    finally:
        await asyncio.to_thread(stop_tracing, _LAST_SPANS_SECONDS)


def _bind(server: grpc.aio.Server, settings: Settings, access: Access) -> int:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        if access.certificates is not None:
            return server.add_secure_port(f"{host}:{settings.port}", server_credentials(access.certificates))
        return server.add_insecure_port(f"{host}:{settings.port}")
    except RuntimeError:
        raise SettingsError(f"port: cannot listen on {host}:{settings.port}; is it in use?") from None


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.so_reuseport", int(settings.reuse_port)),
        # gRPC's core answers CANCELLED, which callers do not retry. So `Acceptors` refuse, and this is the last bound.
        ("grpc.server.max_pending_requests", _MOST_PENDING[0]),
        ("grpc.server.max_pending_requests_hard_limit", _MOST_PENDING[1]),
        # A peer that died without a packet is noticed within a minute and a half.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # Clients may ping every 10 s, idle or not, as gRPC's guides advise. Faster ones get GOAWAY.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        # Connections end after 5 minutes (gRPC adds jitter): new processes behind an L4 balancer get their share.
        ("grpc.max_connection_age_ms", 300_000),
        ("grpc.max_connection_age_grace_ms", 30_000),
    ]


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
