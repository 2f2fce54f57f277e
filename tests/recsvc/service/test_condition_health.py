"""gRPC health has a service for each condition of docs/degradation.md, and the process stays SERVING meanwhile."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsvc.runtime.rungs import Rung
from recsvc.store.embedded import redis_server_binary
from tests.recsvc.service.edge import edge
from tests.recsvc.store.free_ports import free_ports
from tests.service_process import ServiceProcess

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


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:{port}", "redis://:s3cret@127.0.0.1:{port}/99"])
def test_redis_that_was_away_and_then_refuses_the_url_ends_the_service(
    start_service: Callable[..., ServiceProcess], tmp_path: Path, url: str
) -> None:
    [port] = free_ports(1)
    service = start_service(redis_url=url.format(port=port))
    arguments = ("--port", str(port), "--save", "", "--requirepass", "s3cret")
    server = subprocess.Popen([redis_server_binary(), *arguments], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        assert service.process.wait(timeout=60) == 2
    finally:
        server.kill()
        server.wait()
    told = [str(line["event"]) for line in service.log if str(line["event"]).startswith("recsvc: redis_url: Redis ")]
    assert len(told) == 1
    assert "hunter2" not in str(service.log)
