"""What surrounds the calls: health, reflection, the limit, deadlines, the order in which a server stops."""

import asyncio
import gc
import logging
from collections.abc import Awaitable

import grpc
import pytest
import structlog
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import REGISTRY

from recsvc.errors import SettingsError
from recsvc.server import listening
from recsvc.service import SERVICE_NAMES
from recsvc.service.acceptors import TASKS_PER_METHOD
from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.recsvc.service.edge import RECOMMENDED, FixedAnswers, backend_of, edge, edge_settings

REQUEST = rec.RecommendRequest(user_id="u", k=1)
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def code_of(call: Awaitable[object]) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def in_flight(calls: int) -> None:
    """Waits until as many calls are in flight."""
    async with asyncio.timeout(20):
        while REGISTRY.get_sample_value("recsvc_requests_in_flight") != calls:  # noqa: ASYNC110 - a metric cannot be waited for
            await asyncio.sleep(0.005)


async def test_health_is_serving_for_the_server_and_for_each_service():
    async with edge() as (_, channel, _):
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", *SERVICE_NAMES):
            assert (await health.Check(health_pb2.HealthCheckRequest(service=name))).status == SERVING
        unknown = health.Check(health_pb2.HealthCheckRequest(service="recsvc.v1.NoSuchService"))
        assert await code_of(unknown) is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("as_named", [True, False])
async def test_a_late_reason_is_sent_only_while_the_items_have_the_names_in_it(as_named: bool):
    async with edge() as (answers, channel, _):
        answers.as_named = as_named
        stream = RecommendationServiceStub(channel).StreamReasons(rec.StreamReasonsRequest(request=REQUEST))
        messages = [message async for message in stream]
    assert len(messages) == 1 + as_named


async def test_reflection_lists_the_services_and_returns_their_files():
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


async def test_a_list_reaches_the_client_with_all_its_fields():
    async with edge() as (answers, channel, _):
        response = await RecommendationServiceStub(channel).Recommend(REQUEST)
        assert (response.recommendation_id, response.bundle_id) == ("list-1", answers.bundle_id)
        [received] = response.recommendations
        assert (received.item_id, received.score, received.rank) == (
            RECOMMENDED.item.item_id,
            RECOMMENDED.score,
            RECOMMENDED.rank,
        )
        assert received.reason.text == RECOMMENDED.reason.text


async def test_a_deadline_becomes_a_time_of_the_event_loop():
    async with edge() as (answers, channel, _):
        stub, loop = RecommendationServiceStub(channel), asyncio.get_running_loop()
        await stub.Recommend(REQUEST)
        before = loop.time()
        await stub.Recommend(REQUEST, timeout=30)
        after = loop.time()
    without, with_deadline = answers.calls
    assert without.deadline is None
    # The wire carries the timeout rounded up, to three digits of its unit.
    assert before + 29.9 < with_deadline.deadline < after + 30.2


async def test_a_call_whose_deadline_passes_is_counted_as_cancelled_and_frees_its_place():
    async with edge() as (answers, channel, _):
        answers.hold.clear()
        labels = {"method": "/recsvc.v1.RecommendationService/Recommend", "code": "CANCELLED"}
        before = REGISTRY.get_sample_value("recsvc_requests_total", labels) or 0
        call = RecommendationServiceStub(channel).Recommend(REQUEST, timeout=0.1)
        assert await code_of(call) is grpc.StatusCode.DEADLINE_EXCEEDED
        await in_flight(0)
        assert REGISTRY.get_sample_value("recsvc_requests_total", labels) == before + 1


async def test_a_call_over_the_limit_is_refused_and_health_still_answers():
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


async def test_a_stopping_server_reports_not_serving_accepts_calls_while_draining_and_finishes_them():
    answers, at_once = FixedAnswers(), asyncio.Event()
    settings = edge_settings(drain_seconds=1.5, grace_seconds=600)
    server = listening(settings, backend_of(answers), at_once)
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


async def test_a_second_signal_cuts_calls_off():
    answers, at_once = FixedAnswers(), asyncio.Event()
    answers.hold.clear()
    settings = edge_settings(drain_seconds=600, grace_seconds=600)
    server = listening(settings, backend_of(answers), at_once)
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


async def test_a_port_that_is_taken_is_a_settings_error_and_the_server_is_stopped(caplog):
    caplog.set_level(logging.DEBUG, "grpc")
    answers, at_once = FixedAnswers(), asyncio.Event()
    async with listening(edge_settings(), backend_of(answers), at_once) as port:
        second = listening(edge_settings(port=port), backend_of(answers), at_once)
        with pytest.raises(SettingsError, match=rf"127\.0\.0\.1:{port}"):
            await second.__aenter__()
    gc.collect()
    assert "__dealloc__" not in caplog.text


async def test_calls_beyond_the_limit_are_refused_so_that_callers_try_again_however_many_come():
    async with edge(max_concurrent_requests=5) as (answers, channel, _):
        answers.hold.clear()
        stub = RecommendationServiceStub(channel)
        calls = [asyncio.ensure_future(code_of(stub.Recommend(REQUEST))) for _ in range(3_500)]
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < len(calls) - 5:
            done, _ = await asyncio.wait(calls, timeout=0.05)
        assert {call.result() for call in done} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        answers.hold.set()
        await asyncio.gather(*calls)
        assert len(answers.calls) == 5


async def test_all_calls_that_were_sent_before_a_stop_are_answered():
    answers, at_once = FixedAnswers(), asyncio.Event()
    server = listening(edge_settings(grace_seconds=60), backend_of(answers), at_once)
    port = await server.__aenter__()
    statuses = []

    async def caller():
        while True:
            code = await code_of(stub.Recommend(REQUEST))
            statuses.append(code)
            if code is not grpc.StatusCode.OK:
                return

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = RecommendationServiceStub(channel)
        callers = [asyncio.ensure_future(caller()) for _ in range(64)]
        while len(statuses) < 200:  # noqa: ASYNC110 - the callers go on
            await asyncio.sleep(0.01)
        await server.__aexit__(None, None, None)
        await asyncio.gather(*callers)
    assert set(statuses) == {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}


async def test_calls_are_taken_by_several_tasks_with_the_installed_grpcio():
    with structlog.testing.capture_logs() as lines:
        async with edge() as (_, channel, _):
            await RecommendationServiceStub(channel).Recommend(REQUEST)
            names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    assert names.count("Acceptors._take_calls") == TASKS_PER_METHOD
    assert "calls_are_taken_one_by_one" not in {line["event"] for line in lines}


async def test_the_log_lines_of_refused_calls_are_limited():
    with structlog.testing.capture_logs() as lines:
        async with edge() as (_, channel, _):
            stub = RecommendationServiceStub(channel)
            wrong = rec.RecommendRequest(user_id="", k=10)
            for _ in range(50):
                assert await code_of(stub.Recommend(wrong)) is grpc.StatusCode.INVALID_ARGUMENT
    assert len([line for line in lines if line["event"] == "call_refused"]) <= 5
