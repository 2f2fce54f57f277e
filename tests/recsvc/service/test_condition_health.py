"""gRPC health has a service for each condition of docs/degradation.md, and the process stays SERVING meanwhile."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsvc.runtime.rungs import Rung
from recsvc.store.embedded import redis_server_binary
from tests.recsvc.service.edge import edge
from tests.recsvc.store.free_ports import free_ports

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def status(channel: grpc.aio.Channel, service: str) -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_every_condition_is_a_health_service_that_follows_the_process() -> None:
    async with edge() as (answers, channel, _):
        assert {await status(channel, f"recsvc.condition.{rung}") for rung in Rung} == {SERVING}
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service="recsvc.condition.redis_full")
        )
        shown = [(await watch.read()).status]
        answers.condition.set(Rung.REDIS_FULL, "no room")
        shown.append((await watch.read()).status)
        assert await status(channel, "") == SERVING
        assert await status(channel, "recsvc.v1.EventService") == SERVING
        answers.condition.set(Rung.REDIS_FULL, "")
        shown.append((await watch.read()).status)
        assert shown == [SERVING, NOT_SERVING, SERVING]
        watch.cancel()


async def test_conditions_that_follow_each_other_quickly_end_in_the_last_one() -> None:
    async with edge() as (answers, channel, _):
        for problem in ("slow", "", "slow", "", "slow"):
            answers.condition.set(Rung.REDIS_SLOW, problem)
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while await status(channel, "recsvc.condition.redis_slow") != NOT_SERVING:  # noqa: ASYNC110 - as a client would
                await asyncio.sleep(0.005)


@pytest.mark.parametrize("fault", ["password", "database"])
def test_redis_that_was_away_and_then_refuses_the_url_ends_the_service(
    small_bundle: Path, tmp_path: Path, fault: str
) -> None:
    [port] = free_ports(1)
    url = f"redis://127.0.0.1:{port}/99" if fault == "database" else f"redis://:wrong@127.0.0.1:{port}"
    service = subprocess.Popen(
        [sys.executable, "-m", "recsvc", "serve", "--bundle", str(small_bundle), "--port", "0", "--metrics-port", "-1"],
        env={"PATH": "", "RECSVC_REDIS_URL": url, "RECSVC_LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        text=True,
    )
    password = ["--requirepass", "s3cret"] if fault == "password" else []
    assert service.stderr is not None
    lines = []
    while (line := service.stderr.readline()) and json.loads(line)["event"] != "serving":
        lines.append(line)
    server = subprocess.Popen(
        [redis_server_binary(), "--port", str(port), "--save", "", *password], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    try:
        _, told = service.communicate(timeout=60)
    finally:
        service.kill()
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert service.returncode == 2
    last = told.splitlines()[-1]
    assert last.startswith("recsvc: redis_url: Redis ")
    assert "wrong" not in last
