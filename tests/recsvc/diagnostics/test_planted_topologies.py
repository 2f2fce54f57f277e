"""`recsvc doctor` names a redis_url of another kind than the Redis that is there."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from recsvc.diagnostics.redis_checks import check_server, read_facts
from recsvc.errors import RecsvcError
from recsvc.settings import Settings, load_settings
from recsvc.store.embedded import redis_server_binary
from tests.conftest import RedisServer, wait_for_redis
from tests.recsvc.store.free_ports import free_ports
from tests.recsvc.store.test_store_cluster import SLOTS, cluster_node
from tests.recsvc.stored_bundle import STORED_BUNDLE


def problem_of(url: str) -> str:
    settings = load_settings({"bundle": STORED_BUNDLE, "redis_url": url, "store_timeout": 5}, Settings)
    try:
        check_server(asyncio.run(read_facts(settings)), settings)
    except RecsvcError as error:
        return str(error)
    return ""


@pytest.fixture
def sentinel(tmp_path: Path, shared_redis: RedisServer) -> Iterator[int]:
    """The port of a Sentinel that watches nothing."""
    [port] = free_ports(1)
    file = tmp_path / "sentinel.conf"
    file.write_text(f"port {port}\n")
    process = subprocess.Popen([redis_server_binary(), file, "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(redis.Redis(port=port))
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("slots", [0, SLOTS // 2, SLOTS])
def test_a_server_of_a_cluster_that_is_named_as_one_server_is_a_problem(tmp_path: Path, slots: int) -> None:
    [port] = free_ports(1)
    with cluster_node(port, tmp_path / "node") as node:
        if slots:
            node.execute_command("CLUSTER ADDSLOTS", *range(slots))
        assert "begin redis_url with redis+cluster" in problem_of(f"redis://127.0.0.1:{port}")


def test_a_cluster_without_a_master_for_each_key_is_a_problem(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with cluster_node(port, tmp_path / "node") as node:
        node.execute_command("CLUSTER ADDSLOTS", *range(SLOTS // 2))
        assert "must show cluster_state:ok" in problem_of(f"redis+cluster://127.0.0.1:{port}")


def test_a_sentinel_that_does_not_know_the_name_of_the_master_is_a_problem(sentinel: int) -> None:
    assert "end redis_url with the name in" in problem_of(f"redis+sentinel://127.0.0.1:{sentinel}/shop")


def test_a_sentinel_that_is_named_as_a_server_is_a_problem(sentinel: int) -> None:
    assert "begin redis_url with redis+sentinel" in problem_of(f"redis://127.0.0.1:{sentinel}")
