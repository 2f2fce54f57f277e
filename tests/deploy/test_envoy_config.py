"""The Envoy file: methods that exist, retries that Envoy really makes, and a file that a real Envoy takes."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs

from recsvc.service.priority import Priority, priority_of
from recsvc.v1 import events_pb2, recommendation_pb2, users_pb2

FILE = Path("deploy/envoy.yaml")
METHODS = {
    f"/{service.full_name}/{method.name}"
    for file in (events_pb2, recommendation_pb2, users_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
FOR_THE_SHOP = {"FindAudience", "ExportUser", "DeleteUser", "GetErasure"}


@pytest.fixture(scope="module")
def resources():
    return yaml.safe_load(FILE.read_text())["static_resources"]


@pytest.fixture(scope="module")
def host(resources):
    listener = resources["listeners"][0]
    [connection_manager] = listener["filter_chains"][0]["filters"]
    [host] = connection_manager["typed_config"]["route_config"]["virtual_hosts"]
    return host


@pytest.fixture(scope="module")
def cluster(resources):
    return next(cluster for cluster in resources["clusters"] if cluster["name"] == "recsvc")


def test_storefronts_reach_all_methods_but_those_for_the_shop(host):
    paths = {route["match"]["path"] for route in host["routes"] if "path" in route["match"]}
    assert paths == {method for method in METHODS if method.rpartition("/")[2] not in FOR_THE_SHOP}


def test_the_refusals_of_recsvc_are_tried_again_at_another_process(host):
    policy = host["retry_policy"]
    assert {"unavailable", "resource-exhausted"} <= set(policy["retry_on"].split(","))
    assert policy["retry_host_predicate"]


def test_a_process_that_breaks_its_connections_or_is_silent_is_left_for_another(host):
    policy = host["retry_policy"]
    assert {"reset", "connect-failure", "refused-stream", "cancelled"} <= set(policy["retry_on"].split(","))
    assert policy["per_try_timeout"] == "2s"
    [stream] = [route for route in host["routes"] if route["match"].get("path", "").endswith("/StreamReasons")]
    assert "per_try_timeout" not in stream["route"]["retry_policy"]  # a stream is silent while a model writes


def test_every_route_has_a_longest_time_which_callers_deadlines_may_shorten(host):
    for route in host["routes"]:
        limits = route["route"]["max_stream_duration"]
        assert limits["max_stream_duration"] == limits["grpc_timeout_header_max"]
        headers = route.get("request_headers_to_add") or host["request_headers_to_add"]
        [deadline] = [header for header in headers if header["header"]["key"] == "grpc-timeout"]
        assert deadline["header"]["value"].lower() == limits["max_stream_duration"]
        assert deadline["append_action"] == "ADD_IF_ABSENT"


def test_more_calls_may_be_tried_again_at_once_than_a_killed_process_had(cluster):
    for threshold in cluster["circuit_breakers"]["thresholds"]:
        assert threshold["max_retries"] >= threshold["max_requests"] / 2


def test_processes_are_checked_every_second_also_before_the_first_call(cluster):
    [check] = cluster["health_checks"]
    assert check["grpc_health_check"] == {}
    assert check["interval"] == check["no_traffic_interval"] == "1s"


def test_a_new_process_takes_its_share_slowly(cluster):
    slow = cluster["least_request_lb_config"]["slow_start_config"]
    assert slow == {"slow_start_window": "60s", "min_weight_percent": {"value": 12.5}}


def test_no_answer_of_recsvc_takes_a_process_out(cluster):
    # UNAVAILABLE is also what all processes say while Redis is away.
    detection = cluster["outlier_detection"]
    by_answers = ("consecutive_5xx", "consecutive_gateway_failure", "success_rate", "local_origin_success_rate")
    assert detection["split_external_local_origin_errors"] is True
    assert all(detection[f"enforcing_{name}"] == 0 for name in by_answers)


def test_outside_envoy_only_its_metrics_and_readiness_can_be_read(resources):
    config = yaml.safe_load(FILE.read_text())
    assert config["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    manager = resources["listeners"][1]["filter_chains"][0]["filters"][0]["typed_config"]
    [admin] = manager["route_config"]["virtual_hosts"]
    assert [route["match"] for route in admin["routes"]] == [{"path": "/stats/prometheus"}, {"path": "/ready"}]


def test_lists_cannot_fill_the_limit_of_calls_that_are_more_important_or_stay_open(host):
    urgent = {
        name.rpartition("/")[2]
        for route in host["routes"]
        for name in route["match"].values()
        if route["route"].get("priority") == "HIGH"
    }
    writes = {method.rpartition("/")[2] for method in METHODS if priority_of(method) is Priority.WRITE}
    assert urgent == (writes - FOR_THE_SHOP) | {"StreamReasons", ""}  # the last are all of health


@pytest.mark.skipif(shutil.which("envoy") is None, reason="no Envoy on this machine")
def test_a_real_envoy_takes_the_file():
    done = subprocess.run(["envoy", "--mode", "validate", "-c", FILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
