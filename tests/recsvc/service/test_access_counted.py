"""A call that is refused for its caller is counted once in each metric of calls, and logged with the id of the key."""

import asyncio
import http.client
import ssl

import grpc
import structlog
from prometheus_client import REGISTRY

from recsvc.access.keys import new_key
from recsvc.access.scopes import Scope
from recsvc.runtime.logs import LineLimit
from recsvc.service import refusals
from tests.recsvc.access.credentials import HOST
from tests.recsvc.service.edge import FixedAnswers
from tests.recsvc.service.request_tables import GOOD_REQUESTS
from tests.recsvc.service.secured_edge import (
    SecuredEdge,
    all_methods,
    bearer,
    code_of_call,
    key_of_every_scope,
    raw_call,
    secured_edge,
)

RECOMMEND = "/recsvc.v1.RecommendationService/Recommend"
REQUEST = GOOD_REQUESTS["RecommendationService/Recommend"].SerializeToString()
REASONS = ("key", "scope", "rate", "concurrency", "limit", "queue", "deadline")
LABEL_OF = {"recsvc_requests_total": "code", "recsvc_refusals_total": "reason", "recsvc_request_seconds_count": ""}
CODES = tuple(code.name for code in grpc.StatusCode)


class Counts:
    """What the metrics of one method have counted since this was made."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._before = self._now()

    def _now(self) -> dict[str, float]:
        counts = dict.fromkeys(("timed", *REASONS, *CODES), 0.0)
        for family in REGISTRY.collect():
            for sample in family.samples:
                if sample.labels.get("method") == self._method and sample.name in LABEL_OF:
                    counts[sample.labels.get(LABEL_OF[sample.name], "timed")] += sample.value
        return counts

    def added(self) -> dict[str, float]:
        return {name: count - self._before[name] for name, count in self._now().items() if count > self._before[name]}


async def test_a_refused_caller_is_counted_as_a_call_and_as_a_refusal_on_every_rpc(certified, keys):
    key_of = key_of_every_scope(keys)
    other_than = {scope: key_of[next(other for other in Scope if other != scope)] for scope in Scope}
    async with (
        secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge,
        edge.channel() as channel,
    ):
        for name, scope, stream in all_methods():
            counts = Counts(name)
            await code_of_call(channel, name, b"", [], is_stream=stream)
            await code_of_call(channel, name, b"", bearer(new_key()), is_stream=stream)
            await code_of_call(channel, name, b"", bearer(other_than[scope]), is_stream=stream)
            assert counts.added() == {"UNAUTHENTICATED": 2, "PERMISSION_DENIED": 1, "key": 2, "scope": 1}, name
    assert REGISTRY.get_sample_value("recsvc_requests_in_flight") == 0


async def test_a_caller_over_its_rate_or_with_too_many_calls_at_once_is_counted_by_its_limit(certified, keys):
    quick = keys.add("quick", ["recommend"], requests_per_second=1)
    wide = keys.add("wide", ["recommend"], concurrent=1)
    answers = FixedAnswers()
    async with secured_edge(answers, certified, keys_file=keys.path) as edge, edge.channel() as channel:
        counts = Counts(RECOMMEND)
        await raw_call(channel, RECOMMEND, REQUEST, bearer(quick))
        await code_of_call(channel, RECOMMEND, REQUEST, bearer(quick))
        assert counts.added() == {"OK": 1, "timed": 1, "RESOURCE_EXHAUSTED": 1, "rate": 1}
        answers.hold.clear()
        running = asyncio.ensure_future(raw_call(channel, RECOMMEND, REQUEST, bearer(wide)))
        async with asyncio.timeout(20):
            while len(answers.calls) < 2:  # noqa: ASYNC110 - the call is on a socket
                await asyncio.sleep(0.005)
        counts = Counts(RECOMMEND)
        await code_of_call(channel, RECOMMEND, REQUEST, bearer(wide))
        assert counts.added() == {"RESOURCE_EXHAUSTED": 1, "concurrency": 1}
        answers.hold.set()
        await running


def status_of_page(edge: SecuredEdge, path: str, secret: str) -> int:
    context = ssl.create_default_context(cadata=edge.certified.ca_file.read_text())
    connection = http.client.HTTPSConnection(HOST, edge.metrics_port, context=context, timeout=20)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {secret}"})
        return connection.getresponse().status
    finally:
        connection.close()


async def test_a_refused_reader_of_metrics_is_counted_whatever_path_it_asks_for(certified, keys):
    other = keys.add("shop", [Scope.RECOMMEND])
    slow = keys.add("prometheus", [Scope.METRICS], requests_per_second=1)
    counts = Counts("/metrics")
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge:
        requests = [("/metrics", new_key()), ("/ghost-4711", new_key()), ("/metrics", other), *[("/metrics", slow)] * 2]
        statuses = [await asyncio.to_thread(status_of_page, edge, *request) for request in requests]
    assert statuses == [401, 401, 403, 200, 429]
    assert counts.added() == {"key": 2, "scope": 1, "rate": 1}
    assert "ghost" not in str(list(REGISTRY.collect()))


async def test_the_line_of_a_refused_call_has_the_id_of_its_key_if_the_file_has_the_key(certified, keys, monkeypatch):
    monkeypatch.setattr(refusals, "_LINES", LineLimit(lines=100, seconds=10))  # other tests have used it up
    known = {
        "reader": (keys.add("reader", [Scope.METRICS]), "PERMISSION_DENIED"),
        "old": (keys.add("old", Scope, is_expired=True), "UNAUTHENTICATED"),
        "quick": (keys.add("quick", Scope, requests_per_second=1), "RESOURCE_EXHAUSTED"),
    }
    with structlog.testing.capture_logs() as lines:
        async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge, edge.channel() as channel:
            method = "/recsvc.v1.RecommendationService/Rank"
            request = GOOD_REQUESTS["RecommendationService/Rank"].SerializeToString()
            await raw_call(channel, method, request, bearer(known["quick"][0]))
            for key, _ in known.values():
                await code_of_call(channel, method, request, bearer(key))
            await code_of_call(channel, method, request, bearer(new_key()))
    refused = [(line.get("caller"), line["code"]) for line in lines if line["event"] == "call_refused"]
    assert refused == [*((caller, code) for caller, (_, code) in known.items()), (None, "UNAUTHENTICATED")]


async def test_refusals_of_callers_are_zero_from_the_start_of_a_service_with_keys(certified, keys):
    keys.add("shop", Scope)
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path):
        for name in (*(name for name, *_ in all_methods()), "/metrics"):
            for reason in ("key", "scope"):
                labels = {"method": name, "reason": reason}
                assert REGISTRY.get_sample_value("recsvc_refusals_total", labels) is not None, labels
