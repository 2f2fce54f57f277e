"""Spans of calls over a real socket, exported to a real receiver: names, parents, and which statuses are errors."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest
from prometheus_client import REGISTRY

pytest.importorskip("opentelemetry.sdk", reason="needs the extra tracing")

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from recsvc.errors import DeadlinePassed, RecsvcError, StoreUnavailable, TooBusy
from recsvc.runtime import tracing
from recsvc.store.connection import operation
from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.otlp_receiver import OtlpReceiver, attributes, otlp_receiver
from tests.recsvc.service.edge import edge

REQUEST = rec.RecommendRequest(user_id="u", k=1)
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
NAME = "recsvc.v1.RecommendationService/Recommend"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiver:
        tracing.start_tracing(receiver.endpoint, 1.0, version="test")
        yield receiver
        tracing.stop_tracing(5)


async def exported(receiver: OtlpReceiver) -> list[Span]:
    await asyncio.to_thread(tracing.stop_tracing, 10)
    return receiver.spans


async def span_of(receiver: OtlpReceiver, error: Exception | None = None, request: object = REQUEST) -> Span:
    async with edge() as (answers, channel, _):
        answers.error = error
        with_status = RecommendationServiceStub(channel).Recommend(request)
        await with_status.code()
    [span] = await exported(receiver)
    return span


async def test_an_answered_call_has_a_span_by_the_conventions(receiver: OtlpReceiver) -> None:
    span = await span_of(receiver)
    assert (span.name, span.kind) == (NAME, Span.SPAN_KIND_SERVER)
    assert attributes(span) == {"rpc.system.name": "grpc", "rpc.method": NAME, "rpc.response.status_code": "OK"}
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert span.end_time_unix_nano > span.start_time_unix_nano


async def test_a_method_that_raised_reads_as_an_error_with_its_class_and_without_its_text(
    receiver: OtlpReceiver,
) -> None:
    span = await span_of(receiver, KeyError("user u00017"))
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert attributes(span)["rpc.response.status_code"] == attributes(span)["error.type"] == "INTERNAL"
    [event] = span.events
    assert (event.name, attributes(event)) == ("exception", {"exception.type": "KeyError"})  # type: ignore[arg-type]
    assert b"u00017" not in b"".join(receiver.bodies)


@pytest.mark.parametrize(
    ("error", "code"), [(StoreUnavailable("away"), "UNAVAILABLE"), (DeadlinePassed(), "DEADLINE_EXCEEDED")]
)
async def test_a_status_that_is_the_fault_of_the_service_is_an_error(
    receiver: OtlpReceiver, error: RecsvcError, code: str
) -> None:
    span = await span_of(receiver, error)
    assert (span.status.code, attributes(span)["error.type"]) == (Status.STATUS_CODE_ERROR, code)


@pytest.mark.parametrize(
    ("error", "request_", "code"),
    [
        (None, rec.RecommendRequest(user_id="", k=1), "INVALID_ARGUMENT"),
        (TooBusy("later"), REQUEST, "RESOURCE_EXHAUSTED"),
    ],
)
async def test_a_deliberate_refusal_leaves_the_status_unset(
    receiver: OtlpReceiver, error: RecsvcError | None, request_: rec.RecommendRequest, code: str
) -> None:
    span = await span_of(receiver, error, request_)
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert attributes(span)["rpc.response.status_code"] == code
    assert "error.type" not in attributes(span)
    assert not span.events


async def test_a_call_goes_on_with_the_trace_of_its_caller(receiver: OtlpReceiver) -> None:
    metadata = (("traceparent", SAMPLED), ("tracestate", "shop=u00017"), ("baggage", "user=u00017"))
    async with edge() as (_, channel, _):
        await RecommendationServiceStub(channel).Recommend(REQUEST, metadata=metadata)
    [span] = await exported(receiver)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert b"u00017" not in b"".join(receiver.bodies)


async def test_a_caller_that_is_not_sampled_has_no_span(receiver: OtlpReceiver) -> None:
    async with edge() as (_, channel, _):
        await RecommendationServiceStub(channel).Recommend(REQUEST, metadata=(("traceparent", UNSAMPLED),))
    assert await exported(receiver) == []


@pytest.mark.parametrize("value", ["", "rubbish", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01"])
async def test_a_wrong_traceparent_begins_a_trace_of_its_own(receiver: OtlpReceiver, value: str) -> None:
    async with edge() as (_, channel, _):
        await RecommendationServiceStub(channel).Recommend(REQUEST, metadata=(("traceparent", value),))
    [span] = await exported(receiver)
    assert (span.trace_id.hex() == TRACE, span.parent_span_id) == (False, b"")


async def test_a_call_whose_caller_left_is_cancelled_and_no_error(receiver: OtlpReceiver) -> None:
    async with edge() as (answers, channel, _):
        answers.hold.clear()
        call = RecommendationServiceStub(channel).Recommend(REQUEST)
        while not answers.calls:  # noqa: ASYNC110 - the call is on its way
            await asyncio.sleep(0.005)
        call.cancel()
        assert await call.code() is grpc.StatusCode.CANCELLED
        while REGISTRY.get_sample_value("recsvc_requests_in_flight"):  # noqa: ASYNC110 - a metric cannot be waited for
            await asyncio.sleep(0.005)
    [span] = await exported(receiver)
    assert attributes(span)["rpc.response.status_code"] == "CANCELLED"
    assert span.status.code == Status.STATUS_CODE_UNSET


async def test_a_stream_has_one_span_from_its_first_to_its_last_message(receiver: OtlpReceiver) -> None:
    async with edge() as (_, channel, _):
        stream = RecommendationServiceStub(channel).StreamReasons(rec.StreamReasonsRequest(request=REQUEST))
        assert [message async for message in stream]
    [span] = await exported(receiver)
    assert (span.name, attributes(span)["rpc.response.status_code"]) == (
        "recsvc.v1.RecommendationService/StreamReasons",
        "OK",
    )


async def test_steps_are_children_of_their_call_and_background_work_has_no_spans(receiver: OtlpReceiver) -> None:
    class Context:
        def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
            return (("traceparent", SAMPLED),)

        def code(self) -> None:
            return None

    async def call() -> dict[str, str]:
        with tracing.call_span("/recsvc.v1.S/M", Context()):
            with tracing.span("search", k=10), pytest.raises(StoreUnavailable), operation("read"):
                raise TimeoutError("key of u00017")
            return tracing.trace_ids()

    with tracing.redis_span("follow_items"), tracing.span("search", k=1):
        pass  # outside of a call
    ids = await asyncio.create_task(call())
    spans = {span.name: span for span in await exported(receiver)}
    assert set(spans) == {"recsvc.v1.S/M", "search", "read"}
    assert ids == {"trace_id": TRACE, "span_id": spans["recsvc.v1.S/M"].span_id.hex()}
    assert spans["search"].parent_span_id == spans["recsvc.v1.S/M"].span_id
    assert spans["read"].parent_span_id == spans["search"].span_id
    assert attributes(spans["search"]) == {"recsvc.k": 10}
    read = spans["read"]
    assert read.kind == Span.SPAN_KIND_CLIENT
    assert attributes(read) == {"db.system.name": "redis", "db.operation.name": "read", "error.type": "TimeoutError"}
    assert read.status.code == Status.STATUS_CODE_ERROR


def test_a_collector_that_is_away_holds_up_no_end_of_a_process() -> None:
    with otlp_receiver() as receiver:
        endpoint = receiver.endpoint
    tracing.start_tracing(endpoint, 1.0, version="test")
    with tracing.call_span("/a/b", NoContext()):
        pass
    tracing.stop_tracing(0.1)
    assert tracing.trace_ids() == {}


class NoContext:
    def invocation_metadata(self) -> None:
        return None

    def code(self) -> None:
        return None
