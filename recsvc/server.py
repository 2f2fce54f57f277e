"""One server process: builds the store, the models and the gRPC server, tells when it is ready, stops in order.

It listens only once it can answer, so no balancer sends it a call too early: a refused connection means starting.
On SIGTERM or SIGINT: health says NOT_SERVING, calls are still accepted for `drain_seconds`, then accepted calls get
`grace_seconds` to finish. A second signal ends the waiting.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from recsvc import __version__
from recsvc.errors import SettingsError
from recsvc.reasons import PatternPool, model_name
from recsvc.registry.model_registry import ModelRegistry
from recsvc.service import SERVICE_NAMES, add_services
from recsvc.service.health import HealthService
from recsvc.service.interceptor import CallInterceptor
from recsvc.settings import Settings
from recsvc.store import UserStore, open_store

_MAX_MESSAGE_BYTES = 4 * 1024 * 1024  # a full batch of events has some 0.6 MB

_GC_THRESHOLDS = 50_000, 20, 20  # a request leaves fewer than 50 objects: a young collection in some 1,000 requests

_log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises SettingsError, BundleError or TextEncoderError where it cannot start."""
    # The event loop and the search thread take turns: at Python's 5 ms a batch of a dozen products could wait for 60.
    sys.setswitchinterval(0.0005)
    stop = _Stop()
    # Before Redis is touched: a private redis-server that is starting must not outlive us.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.signalled)
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    async with (
        open_store(
            redis_url,
            settings.data_dir,
            settings.namespace,
            history_limit=settings.history_limit,
            timeout_seconds=settings.store_timeout,
        ) as store,
        _open_models(settings, store) as models,
    ):
        if stop.requested.is_set():  # while the bundle was being loaded
            return
        with _metrics(settings) as metrics_port:
            async with listening(settings, models, store, stop.at_once) as port:
                _log.info(
                    "serving",
                    host=settings.host,
                    port=port,
                    metrics_port=metrics_port,
                    bundle_id=models.bundle_id,
                    version=__version__,
                )
                await stop.requested.wait()
                _log.info("stopping", drain_seconds=settings.drain_seconds, grace_seconds=settings.grace_seconds)
    _log.info("stopped")


@asynccontextmanager
async def listening(
    settings: Settings, models: ModelRegistry, store: UserStore, stop_at_once: asyncio.Event
) -> AsyncIterator[int]:
    """A running gRPC server with health and reflection; gives its port. Leaving stops it as the module says.

    stop_at_once: cuts the waiting short when set. Raises SettingsError when the port cannot be had.
    """
    server = grpc.aio.server(
        interceptors=[CallInterceptor(settings.max_concurrent_requests)], options=_options(settings)
    )
    add_services(server, models, store)
    health_service = HealthService()
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    for name in ("", *SERVICE_NAMES):
        await health_service.set(name, health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection((*SERVICE_NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = _bind(server, settings)
    await server.start()
    try:
        yield port
    finally:
        await health_service.enter_graceful_shutdown()
        await _wait(stop_at_once, settings.drain_seconds)
        health_service.end_watches()
        stopping = asyncio.ensure_future(server.stop(settings.grace_seconds))
        cut_short = asyncio.ensure_future(stop_at_once.wait())
        await asyncio.wait((stopping, cut_short), return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            await server.stop(None)
        await stopping
        cut_short.cancel()


class _Stop:
    """Signals so far: the first asks for an orderly stop, the second for one at once."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.at_once = asyncio.Event()

    def signalled(self) -> None:
        (self.at_once if self.requested.is_set() else self.requested).set()


@asynccontextmanager
async def _open_models(settings: Settings, store: UserStore) -> AsyncIterator[ModelRegistry]:
    models = await asyncio.to_thread(
        ModelRegistry.open,
        settings.bundle,
        store,
        settings.text_encoder,
        settings.search_threads,
        settings.cache_size,
        settings.placements,
        _patterns(settings),
        settings.unknown_is_private,
    )
    try:
        await models.start()
        # The catalogue stays for good, and the users that the process keeps stay long; garbage in cycles is rare. At
        # Python's thresholds a fifth of the time goes into collections that find nothing.
        gc.collect()
        gc.set_threshold(*_GC_THRESHOLDS)
        yield models
    finally:
        await models.close()


def _patterns(settings: Settings) -> PatternPool | None:
    if settings.reason_generator == "realiser":
        return None
    if not settings.reason_model:
        raise SettingsError(f"reason_model: names the model of {settings.reason_generator}, as its worker has it")
    return PatternPool(settings.reason_generator, model_name(settings.reason_model, settings.reason_revision))


@contextmanager
def _metrics(settings: Settings) -> Iterator[int | None]:
    """Prometheus metrics over HTTP, from a thread of their own; gives the port, None when they are off."""
    if settings.metrics_port < 0:
        yield None
        return
    try:
        http_server, thread = start_http_server(settings.metrics_port, settings.host)
    except OSError as error:
        raise SettingsError(f"metrics_port: cannot listen on port {settings.metrics_port}: {error.strerror}") from None
    try:
        yield http_server.server_port
    finally:
        http_server.shutdown()
        http_server.server_close()
        thread.join()


def _bind(server: grpc.aio.Server, settings: Settings) -> int:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        return server.add_insecure_port(f"{host}:{settings.port}")
    except RuntimeError:
        raise SettingsError(f"port: cannot listen on {host}:{settings.port}; is it in use?") from None


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.so_reuseport", int(settings.reuse_port)),
        # A dead peer is noticed within a minute and a half, though no packet says that it is gone.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # Clients may ping every 10 s, idle or not, as their own guides advise; faster is GOAWAY.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        # Connections end after 5 minutes (grpc adds jitter), so that new processes get their share behind L4 balancers.
        ("grpc.max_connection_age_ms", 300_000),
        ("grpc.max_connection_age_grace_ms", 30_000),
    ]


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
