"""Bad credentials are refused on every RPC and HTTP path, before anything is looked up."""

import asyncio
import http.client
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from recsvc.access.keys import new_key
from recsvc.access.scopes import Scope
from recsvc.runtime.logs import LineLimit
from recsvc.service import METHODS, refusals
from tests.recsvc.access.credentials import AUDIENCE, HOST, ISSUER, KeysFile, jwk, jwks, token
from tests.recsvc.service.edge import FixedAnswers
from tests.recsvc.service.request_tables import GOOD_REQUESTS
from tests.recsvc.service.secured_edge import (
    Metadata,
    SecuredEdge,
    Untouchable,
    all_methods,
    bearer,
    code_of_call,
    key_of_every_scope,
    raw_call,
    secured_edge,
)

UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
NO_MESSAGE = b"\xff"  # the bytes of no message: who is refused after decoding gets INVALID_ARGUMENT
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


@pytest.fixture
def token_settings(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "jwks.json").write_bytes(jwks(jwk("P-256", "one")))
    return {"jwks_file": tmp_path / "jwks.json", "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


def bad_credentials(keys: KeysFile) -> Iterator[tuple[str, Metadata]]:
    """Each kind of credentials that nobody may call with."""
    good, expired = keys.add("everything", Scope), keys.add("old", Scope, is_expired=True)
    yield "none", []
    yield "an empty one", [("authorization", "")]
    yield "a scheme alone", [("authorization", "Bearer")]
    yield "no key", bearer("")
    yield "an unknown key", bearer(new_key())
    yield "an expired key", bearer(expired)
    yield "a key with one letter more", bearer(f"{good}A")
    yield "a key without its start", bearer(good[7:])
    yield "another scheme", [("authorization", f"Basic {good}")]
    yield "a key without a scheme", [("authorization", good)]
    yield "a key under another name", [("x-api-key", good)]
    yield "a good key and another one", [*bearer(good), *bearer(new_key())]
    yield "an expired token", bearer(token(exp=time.time() - 1, scope=" ".join(Scope)))
    yield "a token of somebody else", bearer(token(number=5, scope=" ".join(Scope)))


async def test_bad_credentials_are_refused_on_every_rpc_before_anything_is_looked_up(certified, keys, token_settings):
    backend, bad = Untouchable(), list(bad_credentials(keys))
    async with (
        secured_edge(backend, certified, keys_file=keys.path, **token_settings) as edge,
        edge.channel() as channel,
    ):
        backend.is_serving = True
        methods = list(all_methods())
        assert {name for name, *_ in methods} == set(METHODS)
        calls = [(kind, name, metadata, stream) for name, _, stream in methods for kind, metadata in bad]
        places = asyncio.Semaphore(32)  # more at the same time would be refused as too many

        async def code_of(name: str, metadata: Metadata, stream: bool) -> grpc.StatusCode:
            async with places:
                return await code_of_call(channel, name, NO_MESSAGE, metadata, is_stream=stream)

        codes = await asyncio.gather(*(code_of(name, metadata, stream) for _, name, metadata, stream in calls))
        admitted = [
            (kind, name) for (kind, name, *_), code in zip(calls, codes, strict=True) if code != UNAUTHENTICATED
        ]
    assert admitted == []
    assert backend.touched == []
    assert len(calls) >= 27 * len(bad)


async def test_keys_and_tokens_of_other_scopes_are_refused_on_every_rpc(certified, keys, token_settings):
    backend = Untouchable()
    others = {scope: [other for other in Scope if other != scope] for scope in Scope}
    key_without = {scope: keys.add(f"all-but-{scope}", others[scope]) for scope in Scope}
    async with (
        secured_edge(backend, certified, keys_file=keys.path, **token_settings) as edge,
        edge.channel() as channel,
    ):
        backend.is_serving = True
        for name, scope, stream in all_methods():
            for secret in (key_without[scope], token(scope=" ".join(others[scope])), token(scope="")):
                assert await code_of_call(channel, name, NO_MESSAGE, bearer(secret), is_stream=stream) == DENIED, name
    assert backend.touched == []


async def test_the_scope_of_a_method_is_enough_for_it(certified, keys, token_settings):
    answers, key_of = FixedAnswers(), key_of_every_scope(keys)
    async with (
        secured_edge(answers, certified, keys_file=keys.path, **token_settings) as edge,
        edge.channel() as channel,
    ):
        for name, scope, stream in all_methods():
            request = GOOD_REQUESTS[name.removeprefix("/recsvc.v1.")].SerializeToString()
            for secret in (key_of[scope], token(scope=f"openid {scope}")):
                assert await raw_call(channel, name, request, bearer(secret), is_stream=stream), name


async def test_an_open_service_would_have_been_touched(certified):
    """Without keys the calls of the tests above reach the backend, so those tests can fail."""
    backend = Untouchable()
    with structlog.testing.capture_logs() as lines:  # the backend answers nothing that can be sent
        async with secured_edge(backend, certified) as edge, edge.channel() as channel:
            backend.is_serving = True
            for name, _, stream in all_methods():
                request = GOOD_REQUESTS[name.removeprefix("/recsvc.v1.")].SerializeToString()
                backend.touched.clear()
                await code_of_call(channel, name, request, [], is_stream=stream)
                assert backend.touched or name.endswith("ListRecipes"), name
    assert "call_failed" in {line["event"] for line in lines}


async def test_health_needs_no_key_and_reflection_needs_any(certified, keys):
    key = keys.add("prometheus", [Scope.METRICS])
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async with (
        secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge,
        edge.channel() as channel,
    ):
        health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        for metadata in ([], bearer(new_key())):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await reflection.ServerReflectionInfo(iter([request]), metadata=metadata, timeout=20).read()
            assert caught.value.code() == UNAUTHENTICATED
        answer = await reflection.ServerReflectionInfo(iter([request]), metadata=bearer(key), timeout=20).read()
        assert len(answer.list_services_response.service) > len({name.split("/")[1] for name in METHODS})


PATHS = ("/", "/metrics", "/favicon.ico", "/metrics/..", "//", "/no-such-page", "/metrics?name[]=up", "/%00")


def request(
    edge: SecuredEdge, path: str, authorization: str | None = None, method: str = "GET"
) -> tuple[int, bytes, http.client.HTTPMessage]:
    context = ssl.create_default_context(cadata=edge.certified.ca_file.read_text())
    connection = http.client.HTTPSConnection(HOST, edge.metrics_port, context=context, timeout=20)
    try:
        connection.request(method, path, headers={} if authorization is None else {"Authorization": authorization})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


async def test_no_path_of_the_metrics_is_shown_without_the_scope(certified, keys, token_settings):
    bad = [None, "", "Bearer", f"Bearer {new_key()}", f"Bearer {keys.add('old', Scope, is_expired=True)}"]
    bad += [f"Bearer {token(exp=time.time() - 1, scope='metrics')}", f"Basic {keys.add('m', [Scope.METRICS])}"]
    other = keys.add("other", [scope for scope in Scope if scope != Scope.METRICS])
    good = keys.add("prometheus", [Scope.METRICS])

    def check(edge: SecuredEdge) -> None:
        for path in PATHS:
            for authorization in bad:
                status, body, headers = request(edge, path, authorization)
                assert (status, headers["WWW-Authenticate"]) == (401, "Bearer"), (path, authorization)
                assert b"recsvc_" not in body
            for authorization in (f"Bearer {other}", f"Bearer {token(scope='admin')}"):
                status, body, _ = request(edge, path, authorization)
                assert (status, b"recsvc_" in body) == (403, False)
        for method in ("HEAD", "POST", "PUT", "OPTIONS", "BREW"):
            assert request(edge, "/metrics", None, method)[0] == 401
        for authorization in (f"Bearer {good}", f"Bearer {token(scope='metrics')}"):
            status, body, _ = request(edge, "/metrics", authorization)
            assert (status, b"recsvc_requests_total" in body) == (200, True)

    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path, **token_settings) as edge:
        await asyncio.to_thread(check, edge)


async def test_metrics_are_limited_like_calls(certified, keys):
    key = keys.add("prometheus", [Scope.METRICS], requests_per_second=1)
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge:
        status, *_ = await asyncio.to_thread(request, edge, "/metrics", f"Bearer {key}")
        assert status == 200
        status, _, headers = await asyncio.to_thread(request, edge, "/metrics", f"Bearer {key}")
        assert (status, headers["Retry-After"]) == (429, "1")


async def test_a_caller_over_its_rate_is_told_when_to_try_again(certified, keys):
    key, other = keys.add("shop", ["recommend"], requests_per_second=2), keys.add("other", ["recommend"])
    message = GOOD_REQUESTS["RecommendationService/Recommend"].SerializeToString()
    method = "/recsvc.v1.RecommendationService/Recommend"
    answers = FixedAnswers()
    async with secured_edge(answers, certified, keys_file=keys.path) as edge, edge.channel() as channel:
        for _ in range(2):
            await raw_call(channel, method, message, bearer(key))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await raw_call(channel, method, message, bearer(key))
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        details = rpc_status.from_call(caught.value).details
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        assert details[0].Unpack(info)
        assert details[1].Unpack(retry)
        assert info.reason == "RATE_LIMITED"
        assert 0 < retry.retry_delay.ToMilliseconds() <= 500
        assert len(answers.calls) == 2
        await raw_call(channel, method, message, bearer(other))


async def test_a_caller_with_too_many_calls_at_once_is_refused_until_one_ends(certified, keys):
    key = keys.add("shop", ["recommend"], concurrent=3)
    message = GOOD_REQUESTS["RecommendationService/Recommend"].SerializeToString()
    method = "/recsvc.v1.RecommendationService/Recommend"
    answers = FixedAnswers()
    answers.hold.clear()
    async with secured_edge(answers, certified, keys_file=keys.path) as edge, edge.channel() as channel:
        running = [asyncio.ensure_future(raw_call(channel, method, message, bearer(key))) for _ in range(3)]
        async with asyncio.timeout(20):
            while len(answers.calls) < 3:  # noqa: ASYNC110 - the calls are on a socket
                await asyncio.sleep(0.005)
        assert await code_of_call(channel, method, message, bearer(key)) == grpc.StatusCode.RESOURCE_EXHAUSTED
        running[0].cancel()  # a caller that leaves frees its place as well
        await asyncio.wait(running[:1])
        answers.hold.set()
        await asyncio.gather(*running[1:])
        for _ in range(5):
            await asyncio.gather(*(raw_call(channel, method, message, bearer(key)) for _ in range(3)))


async def test_a_key_is_in_no_log_line_no_answer_and_not_in_the_audit_log(
    certified, keys, token_settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(refusals, "_LINES", LineLimit(lines=100, seconds=10))  # other tests have used it up
    good, unknown, expired = keys.add("shop", Scope), new_key(), keys.add("old", Scope, is_expired=True)
    secrets = [good, unknown, expired, token(scope="admin"), token(exp=time.time() - 9)]
    method = "/recsvc.v1.UserService/DeleteUser"
    message = GOOD_REQUESTS["UserService/DeleteUser"].SerializeToString()
    shown = []
    with structlog.testing.capture_logs() as lines:
        async with (
            secured_edge(
                FixedAnswers(), certified, keys_file=keys.path, audit_log=tmp_path / "audit.jsonl", **token_settings
            ) as edge,
            edge.channel() as channel,
        ):
            for secret in secrets:
                for text in (bearer(secret), [("authorization", secret)]):
                    try:
                        shown.append(repr(await raw_call(channel, method, message, text)))
                    except grpc.aio.AioRpcError as error:
                        shown.append(f"{error.details()} {error.trailing_metadata()}")
                    shown.append(repr(await asyncio.to_thread(request, edge, "/metrics", f"Bearer {secret}")))
    everything = "\n".join([*shown, repr(lines), (tmp_path / "audit.jsonl").read_text()])
    assert "call_refused" in everything
    for secret in secrets:
        for part in (secret, secret[7:27], secret.split(".")[-1][:20]):
            assert part not in everything
