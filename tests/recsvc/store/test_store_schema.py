"""The schema version of a namespace is kept in Redis: a newer one is refused, an older one is migrated once."""

import asyncio
from pathlib import Path

import pytest
import redis

from recsvc.errors import SettingsError
from recsvc.store import keys, open_store
from recsvc.store.connection import RedisClient, connected
from recsvc.store.schema import check_schema, stored_version
from tests.conftest import RedisServer


async def test_first_start_notes_the_version_and_later_ones_keep_it(redis_server: RedisServer, tmp_path: Path) -> None:
    for _ in range(2):
        async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=5):
            pass
        async with connected(redis_server.url, 5) as client:
            assert await stored_version(client, "shop") == keys.SCHEMA_VERSION
            assert await stored_version(client, "other") is None


@pytest.mark.parametrize(
    ("version", "problem"),
    [("2", "has schema 2, and this recsvc reads 1"), ("0", "cannot migrate"), ("x", "another program uses 'shop'")],
)
async def test_version_that_cannot_be_used_ends_the_start(
    redis_server: RedisServer, tmp_path: Path, raw: redis.Redis, version: str, problem: str
) -> None:
    raw.set(keys.schema("shop"), version)
    with pytest.raises(SettingsError, match=problem):
        async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=5):
            pass
    assert raw.get(keys.schema("shop")) == version.encode()


async def test_older_version_is_migrated_step_by_step_by_one_process(
    redis_server: RedisServer, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SCHEMA_VERSION", 3)
    raw.set(keys.schema("shop"), "1")
    steps: list[str] = []

    async def first(client: RedisClient, namespace: str) -> None:
        steps.append("1 to 2")
        await asyncio.sleep(0.1)  # the others come meanwhile
        await client.execute_command("SET", f"{{{namespace}:migrated}}:2", "1")

    async def second(client: RedisClient, namespace: str) -> None:
        assert await client.execute_command("GET", f"{{{namespace}:migrated}}:2") == b"1"
        steps.append("2 to 3")

    async with connected(redis_server.url, 5) as client:
        await asyncio.gather(*(check_schema(client, "shop", {1: first, 2: second}) for _ in range(5)))
        assert await stored_version(client, "shop") == 3
    assert steps == ["1 to 2", "2 to 3"]
    assert raw.get(keys.schema_lock("shop")) is None


async def test_migration_that_was_interrupted_runs_again(
    redis_server: RedisServer, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SCHEMA_VERSION", 2)
    raw.set(keys.schema("shop"), "1")
    runs = 0

    async def breaks_once(client: RedisClient, namespace: str) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError

    async with connected(redis_server.url, 5) as client:
        with pytest.raises(RuntimeError):
            await check_schema(client, "shop", {1: breaks_once})
        assert await stored_version(client, "shop") == 1
        await check_schema(client, "shop", {1: breaks_once})
        assert await stored_version(client, "shop") == 2
    assert runs == 2


async def test_process_that_has_lost_the_lock_leaves_that_of_another_one(
    redis_server: RedisServer, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SCHEMA_VERSION", 2)
    raw.set(keys.schema("shop"), "1")

    async def paused(client: RedisClient, namespace: str) -> None:
        await client.execute_command("SET", keys.schema_lock(namespace), "another process", "EX", 30)

    async with connected(redis_server.url, 5) as client:
        await check_schema(client, "shop", {1: paused})
    assert raw.get(keys.schema_lock("shop")) == b"another process"
