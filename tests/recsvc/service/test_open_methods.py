"""The outside of the server: what anybody sends without a key gets a fixed answer, and fills no log."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsvc.access.gate import AccessGate
from recsvc.access.opening import Access
from recsvc.service.interceptor import CallInterceptor
from tests.recsvc.service.edge import FixedAnswers, backend_of, edge_settings, listening

NO_MESSAGE = b"\xff"
HEALTH, REFLECTION = "/grpc.health.v1.Health", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


async def error_of(channel: Any, method: str) -> grpc.aio.AioRpcError:
    if method == REFLECTION:
        answer = channel.stream_stream(method)(iter([NO_MESSAGE]), timeout=20).read()
    elif method.endswith("Watch"):
        answer = channel.unary_stream(method)(NO_MESSAGE, timeout=20).read()
    else:
        answer = channel.unary_unary(method)(NO_MESSAGE, timeout=20)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer
    return caught.value


@pytest.mark.parametrize("method", [f"{HEALTH}/Check", f"{HEALTH}/Watch", f"{HEALTH}/List", REFLECTION])
async def test_bytes_that_are_no_message_get_a_fixed_answer_and_no_traceback(method, caplog):
    async with (
        listening(edge_settings(), backend_of(FixedAnswers()), asyncio.Event()) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        error = await error_of(channel, method)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "DecodeError" not in str(error.details())
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_list_of_all_health_is_refused_without_a_traceback(caplog):
    async with (
        listening(edge_settings(), backend_of(FixedAnswers()), asyncio.Event()) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest(), timeout=20)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_two_first_calls_of_a_method_are_both_wrapped():
    interceptor = CallInterceptor(limit=4)
    handler = grpc.unary_unary_rpc_method_handler(lambda request, _: request)

    async def continuation(_: Any) -> grpc.RpcMethodHandler:
        await asyncio.sleep(0)  # as if another interceptor waited for something
        return handler

    details = SimpleNamespace(method="/recsvc.v1.UserService/DeleteUser")
    first, second = await asyncio.gather(*(interceptor.intercept_service(continuation, details) for _ in range(2)))
    assert first is second
    assert second is not handler


class Broken:
    """A gate with an error that nobody foresaw."""

    def admit(self, *_: object) -> None:
        raise ValueError("a part of the key")


@pytest.mark.parametrize("method", ["/recsvc.v1.UserService/DeleteUser", REFLECTION])
async def test_an_unforeseen_error_at_the_gate_admits_nobody_and_tells_nothing(method):
    access = Access(gate=cast("AccessGate", Broken()), certificates=None)
    with structlog.testing.capture_logs() as lines:
        async with (
            listening(edge_settings(), backend_of(FixedAnswers()), asyncio.Event(), access) as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            error = await error_of(channel, method)
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "key" not in str(error.details())
    assert [line["event"] for line in lines] == ["call_failed"]
