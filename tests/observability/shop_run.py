"""Runs two processes on one port with everything on, and gathers what comes out of them."""

import asyncio
import json
import secrets
import urllib.request
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import redis
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from deploy.storefront.tracing import TracedCalls
from recsvc.v1 import (
    catalog_pb2,
    events_pb2,
    explain_pb2,
    models_pb2,
    recommendation_pb2,
    users_pb2,
)
from recsvc.v1.catalog_pb2_grpc import CatalogServiceStub
from recsvc.v1.events_pb2_grpc import EventServiceStub
from recsvc.v1.explain_pb2_grpc import ExplainServiceStub
from recsvc.v1.models_pb2_grpc import ModelServiceStub
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from recsvc.v1.users_pb2_grpc import UserServiceStub
from tests.conftest import RedisServer, running_redis
from tests.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.service_process import ServiceProcess

# Each is in a call, and may be in no output.
USERS = ("ghost-shopper-4711", "阿福顾客", 'odd"shopper\\7')
PROFILE = "breeds zebrafinches quietly"
SEARCH = "quokkaweave lantern"
DISLIKED = "Wombatworks"
CALLERS_KEY, REDIS_PASSWORD, ENDPOINT_KEY = "key-caller-91c2", "redis-pass-77f0", "sk-endpoint-5d1e"
WORDS = (*USERS, *PROFILE.split(), *SEARCH.split(), DISLIKED, CALLERS_KEY, REDIS_PASSWORD, ENDPOINT_KEY)
CONNECTIONS = 16
LISTS = 4  # a connection
METADATA = (("authorization", f"Bearer {CALLERS_KEY}"), ("tracestate", f"shop={USERS[0]}"))


@dataclass
class ShopRun:
    """What came out.

    Attributes:
        pages: Metrics of each process before Redis went away.
        outputs: All that is searched, by its source.
        receiver: Has the spans.
        errors: Statuses of calls that failed.
    """

    receiver: OtlpReceiver
    pages: list[str] = field(default_factory=list)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    errors: list[grpc.StatusCode] = field(default_factory=list)


@contextmanager
def shop_run(bundle: Path, folder: Path) -> Iterator[ShopRun]:
    """Runs the shop: ordinary calls, wrong calls, then calls while Redis is away."""
    with running_redis() as server, otlp_receiver() as receiver:
        with redis.Redis(unix_socket_path=str(server.socket)) as client:
            client.config_set("requirepass", REDIS_PASSWORD)
        started: list[ServiceProcess] = []
        try:
            for _ in range(2):
                started.append(_start(bundle, folder, server, receiver, started[0].port if started else 0))
            run = ShopRun(receiver, outputs={"errors": []})
            asyncio.run(_use(run, started, server))
            for process in started:
                process.stop()
            run.outputs["logs"] = [json.dumps(line, ensure_ascii=False) for p in started for line in p.log]
            run.outputs["traces"] = [body.decode("utf-8", "replace") for body in receiver.bodies]
            yield run
        finally:
            for process in started:
                process.kill()


def _start(bundle: Path, folder: Path, server: RedisServer, receiver: OtlpReceiver, port: int) -> ServiceProcess:
    return ServiceProcess(
        bundle,
        folder,
        f"unix://:{REDIS_PASSWORD}@{server.socket}",
        port,
        reuse_port=True,
        log_level="debug",
        log_searches=True,
        trace_endpoint=receiver.endpoint,
        trace_share=1.0,
        reason_api_key=ENDPOINT_KEY,
    )


def page_of(process: ServiceProcess) -> str:
    """The metrics of a process as Prometheus gets them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{process.metrics_port}/metrics", timeout=10) as page:
        return str(page.read().decode())


async def _use(run: ShopRun, started: Sequence[ServiceProcess], server: RedisServer) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(run.receiver.endpoint)))
    interceptors = [TracedCalls(provider.get_tracer("shop"))]
    options = [("grpc.use_local_subchannel_pool", 1)]  # a connection for each channel
    channels = [
        grpc.aio.insecure_channel(started[0].address, options, interceptors=interceptors) for _ in range(CONNECTIONS)
    ]
    try:
        await asyncio.gather(*(_lists(channel) for channel in channels))
        await _everything(channels[0], run)
        run.pages = [page_of(process) for process in started]
        server.kill()
        await _everything(channels[0], run)
        run.outputs["metrics"] = [*run.pages, *(page_of(process) for process in started)]
    finally:
        for channel in channels:
            await channel.close()
        await asyncio.to_thread(provider.shutdown)


async def _lists(channel: grpc.aio.Channel) -> None:
    request = recommendation_pb2.RecommendRequest(user_id=secrets.token_hex(4), k=5)
    for _ in range(LISTS):
        await RecommendationServiceStub(channel).Recommend(request, timeout=20)


async def _everything(channel: grpc.aio.Channel, run: ShopRun) -> None:
    lists, users = RecommendationServiceStub(channel), UserServiceStub(channel)
    events, explain = EventServiceStub(channel), ExplainServiceStub(channel)
    items, models = CatalogServiceStub(channel), ModelServiceStub(channel)
    for user in USERS:
        request = recommendation_pb2.RecommendRequest(user_id=user, k=5)
        search = recommendation_pb2.RecommendRequest(user_id=user, k=5, surface="SURFACE_SEARCH")
        search.context.query = SEARCH
        profile = users_pb2.Profile(text=PROFILE)
        profile.attributes.add(name="hobby", value=SEARCH)
        bought = events_pb2.Event(
            event_id=f"{user}/1", user_id=user, item_id="i00001", event_type="EVENT_TYPE_PURCHASE"
        )
        wrong = events_pb2.Event(event_id=f"{user}/2", user_id=user * 100, item_id=user, event_type="EVENT_TYPE_VIEW")
        taste = users_pb2.Taste(less_brands=[DISLIKED])
        calls = [
            users.SetProfile(users_pb2.SetProfileRequest(user_id=user, profile=profile), metadata=METADATA),
            events.WriteEvents(events_pb2.WriteEventsRequest(events=[bought]), metadata=METADATA),
            users.UpdateTasteProfile(users_pb2.UpdateTasteProfileRequest(user_id=user, add=taste), metadata=METADATA),
            lists.Recommend(request, metadata=METADATA),
            lists.Recommend(search, metadata=METADATA),
            explain.WhyNot(explain_pb2.WhyNotRequest(request=search, item_id="i00001"), metadata=METADATA),
            users.ExportUser(users_pb2.ExportUserRequest(user_id=user), metadata=METADATA),
            # Wrong ones: each names the user where it may not stand.
            events.WriteEvents(events_pb2.WriteEventsRequest(events=[wrong]), metadata=METADATA),
            lists.Recommend(recommendation_pb2.RecommendRequest(user_id=user * 100, k=5), metadata=METADATA),
            lists.Recommend(
                recommendation_pb2.RecommendRequest(
                    user_id=user, k=5, placement=PROFILE, page_token=user, min_freshness=user
                )
            ),
            explain.ExplainRecommendation(
                explain_pb2.ExplainRecommendationRequest(user_id=user, recommendation_id=PROFILE), metadata=METADATA
            ),
            models.LoadBundle(models_pb2.LoadBundleRequest(bundle_id="0" * 16), metadata=METADATA),
            items.DeleteItems(catalog_pb2.DeleteItemsRequest(item_ids=["i00399"]), metadata=METADATA),
        ]
        await asyncio.gather(*(_answered(call, run) for call in calls))
    await _answered(users.DeleteUser(users_pb2.DeleteUserRequest(user_id=USERS[0]), metadata=METADATA), run)


async def _answered(call: Awaitable[object], run: ShopRun) -> None:
    with suppress(TimeoutError):
        try:
            async with asyncio.timeout(20):
                await call
        except grpc.aio.AioRpcError as error:
            run.errors.append(error.code())
            run.outputs["errors"].append(f"{error.details()} {error.trailing_metadata()!r}")
