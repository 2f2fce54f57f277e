"""What surrounds the calls: health, reflection, the limit, deadlines, the order in which a server stops."""

import asyncio

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import REGISTRY

from recsvc.errors import SettingsError
from recsvc.server import listening
from recsvc.service import SERVICE_NAMES
from recsvc.settings import Settings
from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.recsvc.service.edge import RECOMMENDED, KnownAnswers, edge

REQUEST = rec.RecommendRequest(user_id="u", k=1)
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def code_of(call) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def in_flight(calls: int) -> None:
    """Waits until as many are being worked on."""
    async with asyncio.timeout(20):
        while REGISTRY.get_sample_value("recsvc_requests_in_flight") != calls:  # noqa: ASYNC110 - a metric tells nobody
            await asyncio.sleep(0.005)


async def test_health_is_serving_for_the_server_and_each_service():
    async with edge() as (_, channel, _):
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", *SERVICE_NAMES):
            assert (await health.Check(health_pb2.HealthCheckRequest(service=name))).status == SERVING
        unknown = health.Check(health_pb2.HealthCheckRequest(service="recsvc.v1.NoSuchService"))
        assert await code_of(unknown) is grpc.StatusCode.NOT_FOUND


async def test_reflection_lists_the_services_and_gives_their_files():
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        *(reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in SERVICE_NAMES),
    ]
    async with edge() as (_, channel, _):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        listed, *files = [answer async for answer in stub.ServerReflectionInfo(iter(requests))]
    assert set(SERVICE_NAMES) < {service.name for service in listed.list_services_response.service}
    for name, answer in zip(SERVICE_NAMES, files, strict=True):
        file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
        assert name.rpartition(".")[2] in {service.name for service in file.service}


async def test_an_answer_arrives_whole():
    async with edge() as (answers, channel, _):
        response = await RecommendationServiceStub(channel).Recommend(REQUEST)
        assert (response.recommendation_id, response.bundle_id) == ("list-1", answers.bundle_id)
        [got] = response.recommendations
        assert (got.item_id, got.score, got.rank) == (RECOMMENDED.item.item_id, RECOMMENDED.score, RECOMMENDED.rank)
        assert got.reason.text == RECOMMENDED.reason.text


async def test_a_deadline_becomes_a_time_of_the_event_loop():
    async with edge() as (answers, channel, _):
        stub, loop = RecommendationServiceStub(channel), asyncio.get_running_loop()
        await stub.Recommend(REQUEST)
        before = loop.time()
        await stub.Recommend(REQUEST, timeout=30)
        after = loop.time()
    without, with_deadline = answers.asked
    assert without.deadline is None
    # The wire carries the timeout rounded up, to three digits of its unit.
    assert before + 29.9 < with_deadline.deadline < after + 30.2


async def test_a_caller_who_gives_up_frees_his_place():
    async with edge() as (answers, channel, _):
        answers.hold.clear()
        labels = {"method": "/recsvc.v1.RecommendationService/Recommend", "code": "CANCELLED"}
        before = REGISTRY.get_sample_value("recsvc_requests_total", labels) or 0
        call = RecommendationServiceStub(channel).Recommend(REQUEST, timeout=0.1)
        assert await code_of(call) is grpc.StatusCode.DEADLINE_EXCEEDED
        await in_flight(0)
        assert REGISTRY.get_sample_value("recsvc_requests_total", labels) == before + 1


async def test_one_call_too_many_is_refused_and_health_still_answers():
    async with edge(max_concurrent_requests=2) as (answers, channel, _):
        answers.hold.clear()
        stub = RecommendationServiceStub(channel)
        held = [asyncio.ensure_future(code_of(stub.Recommend(REQUEST))) for _ in range(2)]
        await in_flight(2)
        assert await code_of(stub.Recommend(REQUEST)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        check = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert (await check).status == SERVING
        answers.hold.set()
        assert await asyncio.gather(*held) == [grpc.StatusCode.OK] * 2
        assert await code_of(stub.Recommend(REQUEST)) is grpc.StatusCode.OK


async def test_stopping_says_so_then_accepts_for_a_while_then_finishes_what_it_accepted():
    answers, at_once = KnownAnswers(), asyncio.Event()
    settings = Settings(bundle="unused", port=0, drain_seconds=1.5, grace_seconds=600)
    server = listening(settings, answers, answers, at_once)
    port = await server.__aenter__()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = RecommendationServiceStub(channel)
        statuses = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await statuses.read()).status == SERVING
        answers.hold.clear()
        accepted = asyncio.ensure_future(code_of(stub.Recommend(REQUEST)))
        await in_flight(1)
        stopping = asyncio.ensure_future(server.__aexit__(None, None, None))
        assert (await statuses.read()).status == NOT_SERVING
        late = asyncio.ensure_future(code_of(stub.Recommend(REQUEST)))
        await in_flight(2)
        assert await statuses.read() is grpc.aio.EOF  # the draining is over: now it waits for the two calls alone
        assert not stopping.done()
        answers.hold.set()
        assert [await accepted, await late] == [grpc.StatusCode.OK] * 2
        await stopping


async def test_a_second_signal_waits_for_nobody():
    answers, at_once = KnownAnswers(), asyncio.Event()
    answers.hold.clear()
    settings = Settings(bundle="unused", port=0, drain_seconds=600, grace_seconds=600)
    server = listening(settings, answers, answers, at_once)
    port = await server.__aenter__()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        held = asyncio.ensure_future(code_of(RecommendationServiceStub(channel).Recommend(REQUEST)))
        await in_flight(1)
        stopping = asyncio.ensure_future(server.__aexit__(None, None, None))
        await asyncio.sleep(0.05)
        assert not stopping.done()
        at_once.set()
        await stopping
        assert await held is not grpc.StatusCode.OK
    await in_flight(0)


async def test_a_port_that_is_taken_is_a_settings_error():
    answers, at_once = KnownAnswers(), asyncio.Event()
    async with listening(Settings(bundle="unused", port=0, grace_seconds=0), answers, answers, at_once) as port:
        second = listening(Settings(bundle="unused", port=port), answers, answers, at_once)
        with pytest.raises(SettingsError, match=rf"127\.0\.0\.1:{port}"):
            await second.__aenter__()
