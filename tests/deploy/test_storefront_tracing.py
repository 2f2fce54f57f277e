"""The calls of the example shop: a span each and a traceparent along, if a collector is named."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs the extra tracing")

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from deploy.storefront.tracing import ENDPOINT, TracedCalls, client_interceptors
from tests.otlp_receiver import OtlpReceiver, attributes, otlp_receiver

METHOD = "/shop.Echo/Echo"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiver:
        yield receiver


async def echo(raw: bytes, context: Any) -> bytes:
    """Answers with the metadata of the call; refuses an empty one."""
    if not raw:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "empty")
    return repr(sorted(context.invocation_metadata())).encode()


async def test_a_call_has_a_span_and_sends_its_traceparent_beside_other_metadata(receiver: OtlpReceiver) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(receiver.endpoint)))
    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Echo", {"Echo": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    interceptors = [TracedCalls(provider.get_tracer("shop"))]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", interceptors=interceptors) as channel:
        call: Any = channel.unary_unary(METHOD)
        answer = (await call(b"x", metadata=(("shop", "yes"),), timeout=10)).decode()
        with pytest.raises(grpc.aio.AioRpcError, match="empty"):
            await call(b"", timeout=10)
    await server.stop(None)
    answered, refused = receiver.spans
    assert (answered.name, answered.kind) == ("shop.Echo/Echo", Span.SPAN_KIND_CLIENT)
    assert f"00-{answered.trace_id.hex()}-{answered.span_id.hex()}-" in answer
    assert "key='shop', value='yes'" in answer
    assert answered.status.code == Status.STATUS_CODE_UNSET
    assert (refused.status.code, attributes(refused)["error.type"]) == (Status.STATUS_CODE_ERROR, "INVALID_ARGUMENT")


def test_without_a_collector_a_channel_has_no_interceptor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert client_interceptors() == []
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    [interceptor] = client_interceptors()
    assert isinstance(interceptor, TracedCalls)
