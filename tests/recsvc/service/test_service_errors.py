"""Wrong requests and errors over a real socket: the code, the field paths, and nothing internal leaks."""

from typing import Any

import grpc
import pytest
import structlog
from google.protobuf.message import Message
from google.rpc import error_details_pb2  # type: ignore[import-untyped]  # no stubs
from grpc_status import rpc_status
from prometheus_client import REGISTRY

from recsvc.errors import BundleError, StoreUnavailable
from recsvc.service import SERVICE_NAMES
from recsvc.service.status import MAX_VIOLATIONS
from recsvc.v1 import catalog_pb2 as cat
from recsvc.v1 import content_pb2 as con
from recsvc.v1 import events_pb2 as ev
from recsvc.v1 import explain_pb2 as exp
from recsvc.v1 import models_pb2 as mod
from recsvc.v1 import policy_pb2 as pol
from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1 import users_pb2 as us
from tests.recsvc.service.edge import edge
from tests.recsvc.service.request_tables import (
    ACTIVATE,
    BAD_REQUESTS,
    DELETE,
    GOOD_REQUESTS,
    LONG,
    RECOMMEND,
    SET,
    SIMILAR,
    WRITE,
    R,
    S,
    event,
)

FILES = {
    "CatalogService": cat,
    "ContentService": con,
    "RecommendationService": rec,
    "EventService": ev,
    "ExplainService": exp,
    "ModelService": mod,
    "PolicyService": pol,
    "UserService": us,
}


async def call(channel: grpc.aio.Channel, method: str, request: Message | bytes) -> Any:
    """Calls 'Service/Method' by name, so that one table serves all; reads a stream to its end."""
    service, name = method.split("/")
    descriptor = FILES[service].DESCRIPTOR.services_by_name[service].methods_by_name[name]
    response_type = getattr(FILES[service], descriptor.output_type.name)
    kind: Any = channel.unary_stream if descriptor.server_streaming else channel.unary_unary
    responses = kind(
        f"/recsvc.v1.{method}",
        request_serializer=lambda message: message if isinstance(message, bytes) else message.SerializeToString(),
        response_deserializer=response_type.FromString,
    )(request, timeout=10)
    return [response async for response in responses] if descriptor.server_streaming else await responses


async def refused(
    channel: grpc.aio.Channel, method: str, request: Message | bytes
) -> tuple[grpc.aio.AioRpcError, dict[type, Any]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, method, request)
    details: dict[type, Any] = {}
    for packed in rpc_status.from_call(caught.value).details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
            if packed.Is(kind.DESCRIPTOR):
                details[kind] = kind()
                packed.Unpack(details[kind])
    return caught.value, details


async def test_a_request_beyond_a_documented_limit_is_refused_with_its_fields():
    async with edge() as (answers, channel, _):
        for method, request, fields in BAD_REQUESTS:
            error, details = await refused(channel, method, request)
            violations = details[error_details_pb2.BadRequest].field_violations
            what = (method, str(request)[:200], [str(v) for v in violations])
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, what
            assert [v.field for v in violations] == fields, what
            assert all(v.description for v in violations), what
            assert error.details().startswith(fields[0]), what
            info = details[error_details_pb2.ErrorInfo]
            assert (info.reason, info.domain) == ("INVALID_REQUEST", "recsvc")
        assert answers.calls == []


async def test_a_request_within_the_limits_reaches_the_backend():
    async with edge() as (answers, channel, _):
        for method, request in GOOD_REQUESTS.items():
            await call(channel, method, request)
        assert len(answers.calls) == len(GOOD_REQUESTS)


def test_the_tables_have_requests_of_every_method():
    methods = {
        f"{name}/{method.name}"
        for name, file in FILES.items()
        for method in file.DESCRIPTOR.services_by_name[name].methods
    }
    assert methods == set(GOOD_REQUESTS)
    with_fields = {method for method, request in GOOD_REQUESTS.items() if request.DESCRIPTOR.fields}
    assert with_fields == {method for method, *_ in BAD_REQUESTS}
    assert {f"recsvc.v1.{name}" for name in FILES} == set(SERVICE_NAMES)


async def test_the_refusal_of_an_unknown_language_names_the_known_ones():
    async with edge() as (_, channel, _):
        _, details = await refused(channel, RECOMMEND, R(user_id="u", k=1, context=rec.Context(language="fr")))
    assert "en, zh" in details[error_details_pb2.BadRequest].field_violations[0].description


async def test_thousands_of_violations_are_cut_so_that_they_fit_a_header():
    worst = event(event_id="", user_id="", item_id=LONG, event_type=0, quantity=0, price=-1, order_id=LONG)
    async with edge() as (_, channel, _):
        error, details = await refused(channel, WRITE, ev.WriteEventsRequest(events=[worst] * 1000))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(details[error_details_pb2.BadRequest].field_violations) == MAX_VIOLATIONS
    assert "(and 6999 more)" in error.details()
    assert sum(len(key) + len(value) for key, value in error.trailing_metadata()) < 6_000


async def test_an_unknown_bundle_is_not_found():
    async with edge() as (_, channel, _):
        error, details = await refused(channel, ACTIVATE, mod.ActivateBundleRequest(bundle_id="no such"))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert details[error_details_pb2.ErrorInfo].reason == "BUNDLE_NOT_FOUND"


async def test_an_unknown_item_is_not_found():
    async with edge() as (_, channel, _):
        error, details = await refused(channel, SIMILAR, S(item_id="no such", k=1))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    info = details[error_details_pb2.ErrorInfo]
    assert (info.reason, info.domain, info.metadata) == ("ITEM_NOT_FOUND", "recsvc", {"item_id": "no such"})


@pytest.mark.parametrize("method", [WRITE, SET, DELETE])
async def test_redis_away_is_unavailable(method):
    async with edge() as (answers, channel, _):
        answers.error = StoreUnavailable("Redis did not answer in time")
        error, details = await refused(channel, method, GOOD_REQUESTS[method])
    assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "Redis did not answer in time")
    assert details[error_details_pb2.ErrorInfo].reason == "STORE_UNAVAILABLE"


@pytest.mark.parametrize("method", list(GOOD_REQUESTS))
@pytest.mark.parametrize("kind", [RuntimeError, BundleError, KeyError])
async def test_an_unexpected_error_is_internal_and_does_not_leak_its_text(method, kind):
    with structlog.testing.capture_logs() as lines:
        async with edge() as (answers, channel, _):
            answers.error = kind("redis://:password@inside")
            error, details = await refused(channel, method, GOOD_REQUESTS[method])
    error_id = details[error_details_pb2.ErrorInfo].metadata["error_id"]
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == f"internal error; the server's log has the details under {error_id}"
    assert b"password" not in b"".join(v if isinstance(v, bytes) else v.encode() for _, v in error.trailing_metadata())
    [line] = [line for line in lines if line["event"] == "call_failed"]
    assert (line["error_id"], line["log_level"], line["exc_info"]) == (error_id, "error", answers.error)


async def test_bytes_that_are_no_message_are_an_invalid_request():
    async with edge() as (answers, channel, _):
        for method in GOOD_REQUESTS:
            error, details = await refused(channel, method, b"\xff\xff\xff")
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert details[error_details_pb2.ErrorInfo].reason == "INVALID_REQUEST"
        assert answers.calls == []


async def test_a_message_over_four_mebibytes_is_refused_before_it_is_decoded():
    async with edge() as (answers, channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, WRITE, b"\x00" * (4 * 1024 * 1024 + 1))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert answers.calls == []


async def test_calls_are_counted_by_method_and_code():
    def count(method: str, code: str) -> float:
        labels = {"method": f"/recsvc.v1.{method}", "code": code}
        return REGISTRY.get_sample_value("recsvc_requests_total", labels) or 0.0

    before = count(SIMILAR, "OK"), count(SIMILAR, "NOT_FOUND"), count(SIMILAR, "INVALID_ARGUMENT")
    async with edge() as (_, channel, _):
        for _ in range(3):
            await call(channel, SIMILAR, GOOD_REQUESTS[SIMILAR])
        await refused(channel, SIMILAR, S(item_id="no such", k=1))
        await refused(channel, SIMILAR, S())
        await refused(channel, SIMILAR, S())
    after = count(SIMILAR, "OK"), count(SIMILAR, "NOT_FOUND"), count(SIMILAR, "INVALID_ARGUMENT")
    assert [new - old for old, new in zip(before, after, strict=True)] == [3, 1, 2]
    assert REGISTRY.get_sample_value("recsvc_requests_in_flight") == 0


async def test_events_are_counted_by_type_once_redis_has_them():
    def counts() -> list[float]:
        types = ("view", "purchase")
        return [REGISTRY.get_sample_value("recsvc_events_total", {"event_type": name}) or 0.0 for name in types]

    before = counts()
    request = ev.WriteEventsRequest(events=[event(), event(event_type=ev.EVENT_TYPE_PURCHASE), event()])
    async with edge() as (answers, channel, _):
        await call(channel, WRITE, request)
        answers.error = StoreUnavailable("away")
        await refused(channel, WRITE, request)
    assert [new - old for old, new in zip(before, counts(), strict=True)] == [2, 1]
