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
    [listener] = resources["listeners"]
    [connection_manager] = listener["filter_chains"][0]["filters"]
    [host] = connection_manager["typed_config"]["route_config"]["virtual_hosts"]
    return host


def test_storefronts_reach_all_methods_but_those_for_the_shop(host):
    paths = {route["match"]["path"] for route in host["routes"] if "path" in route["match"]}
    assert paths == {method for method in METHODS if method.rpartition("/")[2] not in FOR_THE_SHOP}


def test_the_refusals_of_recsvc_are_tried_again_at_another_process(host):
    policy = host["retry_policy"]
    assert {"unavailable", "resource-exhausted"} <= set(policy["retry_on"].split(","))
    assert policy["retry_host_predicate"]


def test_more_calls_may_be_tried_again_at_once_than_a_killed_process_had(resources):
    [cluster] = resources["clusters"]
    for threshold in cluster["circuit_breakers"]["thresholds"]:
        assert threshold["max_retries"] >= 128
    assert cluster["health_checks"][0]["grpc_health_check"] == {}


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
