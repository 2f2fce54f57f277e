"""The workers of a `recsvc serve --workers N`, as its tests reach each of them."""

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.service_process import ServiceProcess

MOST_CONNECTIONS = 64


def workers_of(service: ServiceProcess) -> dict[int, psutil.Process]:
    """Its living workers by their number."""
    workers = {}
    for process in psutil.Process(service.process.pid).children():
        try:
            numbers = [flag for flag in process.cmdline() if flag.startswith("--supervised=")]
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if numbers:
            workers[int(numbers[0].partition("=")[2].partition(":")[0])] = process
    return workers


def channel_to(worker: psutil.Process, address: str) -> grpc.Channel:
    """A channel whose connection the kernel has given to this worker."""
    refused = []
    try:
        for _ in range(MOST_CONNECTIONS):
            before = _connections(worker)
            channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
            if _connections(worker) > before:
                return channel
            refused.append(channel)
    finally:
        for channel in refused:
            channel.close()
    raise AssertionError(f"no connection of {MOST_CONNECTIONS} reached worker {worker.pid}")


def _connections(worker: psutil.Process) -> int:
    return sum(connection.status == psutil.CONN_ESTABLISHED for connection in worker.net_connections("tcp"))
