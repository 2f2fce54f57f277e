"""A real Envoy with the file that is given with the product. Only addresses change, and with them its limit."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import yaml  # type: ignore[import-untyped]  # no stubs

from recsvc.v1 import recommendation_pb2, recommendation_pb2_grpc
from tests.recsvc.store.free_ports import free_ports

FILE = Path("deploy/envoy.yaml")
PROCESSES = 2  # for which the file has its limit of lists
READY_SECONDS = 20.0


def has_envoy() -> bool:
    return shutil.which("envoy") is not None


class EnvoyProcess:
    """Listens at `port` of this machine, which is `address`, and leads to servers at ports of this machine.

    Args:
        folder: For its configuration and its log.
        ports: Of the servers.
    """

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        (port,) = free_ports(1)
        self.port, self.address = port, f"127.0.0.1:{port}"
        config = yaml.safe_load(FILE.read_text())
        resources = config["static_resources"]
        resources["listeners"] = resources["listeners"][:1]
        resources["listeners"][0]["address"]["socket_address"].update(address="127.0.0.1", port_value=port)
        if "admin" in config:
            config["admin"]["address"]["socket_address"].update(address="127.0.0.1", port_value=free_ports(1)[0])
        [cluster] = [cluster for cluster in resources["clusters"] if cluster["name"] == "recsvc"]
        addresses = [{"socket_address": {"address": "127.0.0.1", "port_value": port}} for port in ports]
        cluster["load_assignment"]["endpoints"] = [
            {"lb_endpoints": [{"endpoint": {"address": address}} for address in addresses]}
        ]
        threshold = cluster["circuit_breakers"]["thresholds"][0]
        threshold["max_requests"] = threshold["max_requests"] * len(ports) // PROCESSES
        path = folder / "envoy.yaml"
        path.write_text(yaml.safe_dump(config))
        with (folder / "envoy.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["envoy", "-c", path, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"],
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        request = recommendation_pb2.RecommendRequest(user_id="nobody", k=1)
        with grpc.insecure_channel(self.address) as channel:
            stub = recommendation_pb2_grpc.RecommendationServiceStub(channel)
            while True:
                try:
                    stub.Recommend(request, timeout=2, wait_for_ready=True)
                    return
                except grpc.RpcError:
                    assert self.process.poll() is None, "Envoy ended"
                    assert time.monotonic() < deadline, "Envoy reaches no server"
                    time.sleep(0.05)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
