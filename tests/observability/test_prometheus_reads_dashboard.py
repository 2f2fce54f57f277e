"""A real Prometheus reads two real processes: every panel of the dashboard answers, and no rule fails."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs

from recsvc.v1 import catalog_pb2, catalog_pb2_grpc, events_pb2, events_pb2_grpc, recommendation_pb2
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.conftest import RedisServer
from tests.recsvc.store.free_ports import free_ports
from tests.service_process import ServiceProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="no Prometheus on this machine"),
]

FOLDER = Path("deploy/monitoring").resolve()
SECONDS = 20  # of calls
# Panels without a line in a shop where nothing is wrong, without keys and TLS, and which metric they wait for.
QUIET = {
    "recsvc_attributed_events_total",
    "recsvc_refusals_total",
    "recsvc_queue_seconds_bucket",
    "recsvc_redis_restored_total",
    "recsvc_certificate_expires_seconds",
    "recsvc_access_file_refused",
}

SLOW_MACHINE = {"RecsvcLatencyBudgetFast", "RecsvcLatencyBudgetSlow"}  # alerts that a busy machine earns


class Prometheus:
    """A running server."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        settings = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
        settings["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
        settings["rule_files"] = [str(FOLDER / name) for name in settings["rule_files"]]
        settings["scrape_configs"][0]["static_configs"] = [{"targets": targets}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        self._address = f"127.0.0.1:{free_ports(1)[0]}"
        command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        self._process = subprocess.Popen([*command, f"--web.listen-address={self._address}"], stderr=subprocess.DEVNULL)

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://{self._address}/api/v1/{path}?{query}", timeout=10) as answer:
            body = json.load(answer)
        assert body["status"] == "success"
        return body["data"]

    def value(self, query: str) -> float:
        [result] = self.get("query", query=query)["result"]
        return float(result["value"][1])

    def wait_until_up(self, targets: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if len(self.get("query", query="up == 1")["result"]) == targets:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError("Prometheus does not read all processes")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)


@pytest.fixture
def prometheus(
    start_service: Callable[..., ServiceProcess], redis_server: RedisServer, tmp_path: Path
) -> Iterator[Prometheus]:
    first = start_service(redis_url=redis_server.url, reuse_port=True, store_timeout=10)
    processes = [first, start_service(redis_url=redis_server.url, reuse_port=True, store_timeout=10, port=first.port)]
    prometheus = Prometheus(tmp_path, [f"127.0.0.1:{process.metrics_port}" for process in processes])
    try:
        prometheus.wait_until_up(2)
        _shop(processes)
        yield prometheus
    finally:
        prometheus.close()


def _shop(processes: list[ServiceProcess]) -> None:
    channels = [processes[0].channel() for _ in range(8)]
    end, turn = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        channel, user = channels[turn % 8], f"u{turn % 50}"
        turn += 1
        RecommendationServiceStub(channel).Recommend(recommendation_pb2.RecommendRequest(user_id=user, k=5), timeout=20)
        event = events_pb2.Event(
            event_id=str(turn), user_id=user, item_id=f"i{turn % 400:05}", event_type="EVENT_TYPE_PURCHASE"
        )
        events_pb2_grpc.EventServiceStub(channel).WriteEvents(events_pb2.WriteEventsRequest(events=[event]), timeout=20)
        stock = catalog_pb2.Inventory(item_id="i00001", stock=turn)
        catalog_pb2_grpc.CatalogServiceStub(channel).SetInventory(
            catalog_pb2.SetInventoryRequest(inventory=[stock]), timeout=20
        )
    for channel in channels:
        channel.close()


def test_every_panel_answers_and_no_rule_fails(prometheus: Prometheus) -> None:
    panels = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))["panels"]
    empty = []
    for panel in panels:
        for target in panel.get("targets", ()):
            query = target["expr"].replace("$__rate_interval", "15s").replace("$instance", ".*")
            result = prometheus.get("query", query=query)["result"]
            if not result and not any(name in query for name in QUIET):
                empty.append((panel["title"], query))
    assert empty == []
    groups = prometheus.get("rules")["groups"]
    broken = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] != "ok"]
    assert broken == []
    assert sum(len(group["rules"]) for group in groups) > 50
    firing = {
        alert["labels"]["alertname"] for alert in prometheus.get("alerts")["alerts"] if alert["state"] == "firing"
    }
    assert firing <= SLOW_MACHINE
    assert prometheus.value("sum(recsvc_build_info)") == 2
    calls = 'sum(recsvc_requests_total{method=~".*/Recommend", code="OK"})'
    deadline = time.monotonic() + 30  # the last reading may have been in the middle of a call
    while prometheus.value("sum(recsvc_lists_total)") != prometheus.value(calls):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert prometheus.value(calls) > 0
