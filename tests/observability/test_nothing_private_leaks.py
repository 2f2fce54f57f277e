"""Two processes on one port with logs at debug, metrics and traces: all is counted, and nothing private comes out."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

pytest.importorskip("opentelemetry.sdk", reason="needs the extra tracing")

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.observability.shop_run import CONNECTIONS, LISTS, USERS, WORDS, ShopRun, shop_run
from tests.otlp_receiver import attributes

RECOMMEND = "/recsvc.v1.RecommendationService/Recommend"


@pytest.fixture(scope="module")
def run(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopRun]:
    with shop_run(small_bundle, tmp_path_factory.mktemp("data")) as run:
        yield run


def total(page: str, name: str, **labels: str) -> float:
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def test_no_id_of_a_user_no_word_of_theirs_no_key_and_no_password_comes_out(run: ShopRun) -> None:
    for source, texts in run.outputs.items():
        assert len(texts) > 2, source
        for word in WORDS:
            for text in texts:
                for form in {
                    word,
                    word.encode("unicode_escape").decode(),
                    word.encode().hex(),
                    repr(word.encode())[2:-1],
                }:
                    assert form not in text, (source, word, text[:2_000])


def test_the_run_met_refusals_and_errors_of_every_kind(run: ShopRun) -> None:
    wanted = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE}
    assert wanted <= set(run.errors)
    assert any('"call_refused"' in line and '"trace_id"' in line for line in run.outputs["logs"])


def test_the_counters_of_two_processes_on_one_port_add_up_to_the_calls(run: ShopRun) -> None:
    counts = [total(page, "recsvc_requests_total", method=RECOMMEND, code="OK") for page in run.pages]
    assert all(counts)
    assert sum(counts) == CONNECTIONS * LISTS + 2 * len(USERS)
    assert sum(total(page, "recsvc_request_seconds_count", method=RECOMMEND) for page in run.pages) == (
        CONNECTIONS * LISTS + 4 * len(USERS)
    )
    assert sum(total(page, "recsvc_lists_total", surface="search") for page in run.pages) == len(USERS)
    assert sum(total(page, "recsvc_events_total", event_type="purchase") for page in run.pages) == len(USERS)


def test_a_process_shows_its_items_its_users_and_its_bundle(run: ShopRun) -> None:
    for page in run.pages:
        assert total(page, "recsvc_index_items", kind="all") == 400
        assert total(page, "recsvc_index_items", kind="listable") == 399  # one was deleted
        assert 0 < total(page, "recsvc_cached_users") <= CONNECTIONS + len(USERS)
        assert total(page, "recsvc_bundle_trained_seconds") == 1_767_225_600  # 2026-01-01
        assert total(page, "recsvc_catalogue_delay_seconds_count") == total(
            page, "recsvc_catalogue_delay_seconds_bucket", le="60.0"
        )
        assert total(page, "recsvc_catalogue_delay_seconds_count") > 0
        assert total(page, "recsvc_build_info") == 1


def test_series_that_alerts_look_at_are_zero_before_anything_happens(run: ShopRun) -> None:
    for page in run.pages:
        assert f'recsvc_requests_total{{code="INTERNAL",method="{RECOMMEND}"}} 0.0' in page
        assert 'recsvc_redis_losses_total{data="items"} 0.0' in page
        assert 'recsvc_unreadable_values_total{data="items"} 0.0' in page
        assert "recsvc_gate_violations_total 0.0" in page


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on this machine")
def test_promtool_finds_nothing_against_the_conventions_in_a_real_exposition(run: ShopRun) -> None:
    for page in run.outputs["metrics"]:
        done = subprocess.run(["promtool", "check", "metrics"], input=page.encode(), capture_output=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_a_trace_goes_from_the_client_through_the_service_to_redis(run: ShopRun) -> None:
    spans = run.receiver.spans
    by_id = {span.span_id: span for span in spans}
    name = RECOMMEND[1:]
    servers = [span for span in spans if span.name == name and span.kind == Span.SPAN_KIND_SERVER]
    assert servers
    for server in servers:
        client = by_id[server.parent_span_id]
        assert (client.name, client.kind, client.trace_id) == (name, Span.SPAN_KIND_CLIENT, server.trace_id)
    answered = [server for server in servers if attributes(server)["rpc.response.status_code"] == "OK"]
    children = {server.span_id: {s.name for s in spans if s.parent_span_id == server.span_id} for server in answered}
    assert all("read" in names for names in children.values())
    assert any("search" in names for names in children.values())  # later lists of a user need no search
    assert any("reasons" in names for names in children.values())
    assert all(s.parent_span_id in by_id for s in spans if s.kind != Span.SPAN_KIND_CLIENT or s.name == "read")


def test_redis_away_is_an_error_of_its_operation_and_of_the_writes_alone(run: ShopRun) -> None:
    failed = [span for span in run.receiver.spans if span.status.code == Status.STATUS_CODE_ERROR]
    servers = [span for span in failed if span.kind == Span.SPAN_KIND_SERVER]
    assert {attributes(span)["error.type"] for span in servers} == {"UNAVAILABLE"}
    assert RECOMMEND[1:] not in {span.name for span in servers}
    assert any(span.name == "read" and attributes(span)["db.system.name"] == "redis" for span in failed)
