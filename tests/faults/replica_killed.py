"""One of two replicas behind the given Envoy is killed again and again (kill -9) under load."""

import time
from pathlib import Path

from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.faults.envoy_process import EnvoyProcess
from tests.faults.load import CLIENT_RETRIES, EventWriter, SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.recsvc.store.free_ports import free_ports
from tests.service_process import ServiceProcess
from tests.serving_bundle import ITEMS

# Envoy looks once a second, and gives a process its share again after one good answer.
HEALTHY_SECONDS = 2.5


def measure(
    bundle: Path,
    kills: int = 20,
    lists_per_second: float = 45.0,
    writes_per_second: float = 15.0,
    away_seconds: float = 1.5,
    client_retries: int = 1,
) -> Figures:
    """Kills the replicas in turn, and starts each again.

    Args:
        bundle: Folder of the bundle that is served.
        kills: How often a replica is killed.
        lists_per_second: Rate of Recommend.
        writes_per_second: Rate of WriteEvents.
        away_seconds: From a kill to the start of the process after it.
        client_retries: 0: the clients have no retry policy, and only Envoy tries again.
    """
    writer = EventWriter(ITEMS, 1)
    ports = free_ports(2)
    with Site(bundle) as site:
        replicas: list[ServiceProcess] = [site.start(port=port) for port in ports]
        envoy = EnvoyProcess(site.folder, ports)
        calls = {"list": (ask_for_a_list, lists_per_second), "write": (writer.write, writes_per_second)}
        try:
            with SteadyLoad([envoy.address], calls, CLIENT_RETRIES if client_retries else "") as load:
                time.sleep(HEALTHY_SECONDS)
                for number in range(kills):
                    replicas[number % 2].kill()
                    time.sleep(away_seconds)
                    replicas[number % 2] = site.start(port=ports[number % 2])
                    _wait_until_healthy(replicas[number % 2])
                    time.sleep(HEALTHY_SECONDS)
        finally:
            envoy.close()
        return {
            "calls": len(load.outcomes),
            "calls_failed": load.failed("list") + load.failed("write"),
            "list_codes": dict(load.codes("list")),
            "write_codes": dict(load.codes("write")),
            "unforeseen": sum(map(unforeseen, site.services)),
        }


def _wait_until_healthy(replica: ServiceProcess) -> None:
    with replica.channel() as channel:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20, wait_for_ready=True)


ROW = Row(measure, at_most={"calls_failed": 0, "unforeseen": 0}, at_least={"calls": 1})

if __name__ == "__main__":
    ROW.main()
