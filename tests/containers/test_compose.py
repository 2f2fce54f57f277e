"""`docker compose up`: recommendations of the demo's shop through Envoy, also while a replica is killed."""

import asyncio
import datetime as dt
import json
import os
import signal
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from recsvc.v1 import recommendation_pb2
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.containers.conftest import wait_until
from training.data.shop import read_shop
from training.demo.shoppers import choose_shoppers
from training.demo.tour import BACKFILLED_USERS

pytestmark = [pytest.mark.container, pytest.mark.timeout(3_600)]

REGULAR = "u00098"
CALLERS = 16


def recommend(address: str, user_id: str = REGULAR) -> recommendation_pb2.RecommendResponse:
    request = recommendation_pb2.RecommendRequest(user_id=user_id, k=5)
    with grpc.insecure_channel(address) as channel:
        return RecommendationServiceStub(channel).Recommend(request, timeout=5, wait_for_ready=True)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  a URL of this test
        return str(answer.read().decode())


def shows(port: int, words: str) -> bool:
    """Whether the first page has these words; not yet, while the shop does not listen."""
    try:
        return words in get(f"http://127.0.0.1:{port}/")
    except OSError:
        return False


def targets_up(port: int) -> dict[str, int]:
    """How many targets of each job Prometheus reaches."""
    targets = json.loads(get(f"http://127.0.0.1:{port}/api/v1/targets"))["data"]["activeTargets"]
    up = [target["labels"]["job"] for target in targets if target["health"] == "up"]
    return {job: up.count(job) for job in sorted(set(up))}


async def call_steadily(address: str, seconds: float) -> tuple[int, list[str]]:
    """Calls Recommend without a retry of its own. Returns how often, and what went wrong."""
    failures: list[str] = []
    calls = 0
    end = time.monotonic() + seconds

    async def caller(stub: RecommendationServiceStub, number: int) -> None:
        nonlocal calls
        while time.monotonic() < end:
            request = recommendation_pb2.RecommendRequest(user_id=f"u{number:05}", k=5)
            calls += 1
            try:
                answer = await stub.Recommend(request, timeout=5)
                assert len(answer.recommendations) == 5
            except grpc.aio.AioRpcError as error:
                failures.append(f"{error.code().name}: {error.details()}")

    async with grpc.aio.insecure_channel(address) as channel:
        stub = RecommendationServiceStub(channel)
        await asyncio.gather(*(caller(stub, number) for number in range(CALLERS)))
    return calls, failures


def test_the_demo_shop_is_recommended_through_envoy_with_reasons_from_history(shop):
    answer = recommend(shop.address)
    assert len(answer.recommendations) == 5
    assert not answer.degraded
    assert all(item.reason.text for item in answer.recommendations)


def test_the_storefront_shows_the_lists_to_the_shoppers_of_the_demo(shop, engine):
    wait_until(lambda: shows(shop.shop_port, "Picked for you"), "the storefront shows lists")
    [storefront] = shop.containers("storefront")
    command = engine.inspect("container", storefront)["Config"]["Cmd"]
    volume = engine.run("volume", "inspect", "recsvc-test_shop", "--format", "{{.Mountpoint}}")
    tables = read_shop(Path(volume) / "demo/shop")
    shoppers = [f"--shopper={one.user_id}={one.kind}" for one in choose_shoppers(tables, BACKFILLED_USERS)]
    assert [part for part in command if part.startswith("--shopper")] == shoppers
    assert f"--clock={(tables.events['timestamp'][-1] + dt.timedelta(hours=1)).isoformat()}" in command


def test_prometheus_reaches_both_replicas_and_envoy(shop):
    wait_until(lambda: targets_up(shop.prometheus_port) == {"envoy": 1, "recsvc": 2}, "all targets are up")


def test_every_container_is_as_hardened_as_compose_says(shop, engine):
    for service in ("recsvc", "redis", "envoy", "storefront", "prometheus"):
        for name in shop.containers(service):
            details = engine.inspect("container", name)
            assert details["HostConfig"]["ReadonlyRootfs"], name
            assert not details["EffectiveCaps"], name
            assert details["Config"]["User"].partition(":")[0] not in ("", "0", "root"), name


def test_a_replica_that_is_killed_under_load_fails_no_call_and_comes_back(shop, engine):
    replicas = shop.containers("recsvc")
    assert len(replicas) == 2
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(asyncio.run, call_steadily(shop.address, 12.0))
        time.sleep(3)
        # From outside, as a crash: podman takes its own `kill` for an order to stay down.
        os.kill(int(engine.inspect("container", replicas[0])["State"]["Pid"]), signal.SIGKILL)
        calls, failures = load.result()
    print(f"{calls} calls, {len(failures)} failed")  # noqa: T201
    assert calls > 500
    assert failures == []
    wait_until(lambda: engine.is_healthy(replicas[0]), "the killed replica runs again", 180)


def test_a_replica_that_is_stopped_under_load_fails_no_call(shop, engine):
    replica = shop.containers("recsvc")[1]
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(asyncio.run, call_steadily(shop.address, 12.0))
        time.sleep(2)
        engine.run("stop", "--time", "20", replica)
        calls, failures = load.result()
    assert calls > 500
    assert failures == []
    engine.run("start", replica)
    wait_until(lambda: engine.is_healthy(replica), "the replica runs again", 180)
