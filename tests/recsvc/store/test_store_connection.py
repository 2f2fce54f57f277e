"""The store with a Redis that is killed, hung, misconfigured or restarted."""

import asyncio
import subprocess
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import structlog.testing
from blockbuster import blockbuster_ctx

from recsvc.domain.records import Switch
from recsvc.domain.shop import Event, EventType
from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.store import UserStore, keys, open_store
from recsvc.store.embedded import redis_server_binary
from tests.conftest import wait_for_redis
from tests.recsvc.store.free_ports import free_ports


def event(user_id: str) -> Event:
    return Event("e1", user_id, f"item of {user_id}", EventType.PURCHASE, 1_000)


async def every_operation_is_refused(store: UserStore) -> None:
    # A generous limit: no call may hang, or retry for seconds.
    async with asyncio.timeout(20):
        for call in (
            store.read("alice", "b1"),
            store.write_events([event("alice")]),
            store.set_profile("alice", None, None),
            store.delete_user("alice"),
            store.event_log.read(0),
            store.event_log.time(),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                await call
            message = "".join(traceback.format_exception(caught.value))
            assert "alice" not in str(caught.value)
            assert "sock" not in str(caught.value)
            assert "{shop" not in message


async def test_killed_redis_is_unavailable_until_it_restarts(store, redis_server):
    await store.write_events([event("alice")])
    redis_server.kill()
    await every_operation_is_refused(store)
    redis_server.start()
    assert len((await store.read("alice", "b1")).events) == 1
    await store.write_events([event("bob")])
    assert len((await store.read("bob", "b1")).events) == 1


async def test_hung_redis_is_unavailable(redis_server, tmp_path):
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=0.2) as store:
        redis_server.pause()
        await every_operation_is_refused(store)
        redis_server.resume()


async def test_cancelled_read_does_not_answer_the_next_one(store, redis_server):
    for user_id in ("alice", "bob"):
        await store.write_events([event(user_id)])
    redis_server.pause()
    cancelled = [asyncio.create_task(store.read("alice", "b1")) for _ in range(3)]
    await asyncio.sleep(0.05)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
    redis_server.resume()
    for _ in range(5):
        assert [e.item_id for e in (await store.read("bob", "b1")).events] == ["item of bob"]


async def test_more_concurrent_calls_than_connections_all_succeed(store):
    await store.write_events([event("alice")])
    records = await asyncio.gather(*(store.read("alice", "b1") for _ in range(300)))
    assert {len(record.events) for record in records} == {1}


async def test_start_without_redis_is_degraded(redis_server, tmp_path):
    redis_server.kill()
    with structlog.testing.capture_logs() as logs:
        async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
            with pytest.raises(StoreUnavailable):
                await store.read("alice", "b1")
            redis_server.start()
            await store.event_log.time()
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert "redis.sock" not in str(warning)


async def test_redis_that_cannot_write_is_unavailable(store, raw):
    raw.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable, match="OutOfMemory"):
        await store.write_events([event("alice")])
    raw.config_set("maxmemory", 0)
    assert raw.keys() == [keys.schema("shop").encode()]


async def test_with_its_memory_full_redis_still_drops_all_of_an_erased_user(store, raw):
    await store.write_events([replace(event("alice"), event_id=f"e{number}") for number in range(10)])
    raw.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable, match="OutOfMemory"):
        await store.delete_user("alice")
    raw.config_set("maxmemory", 0)
    exported = await store.export_user("alice")
    assert exported.events == ()
    assert raw.xlen(keys.event_log("shop", keys.log_partition("alice"))) == 0
    erasure = await store.delete_user("alice")  # the caller asks again, and the tombstone is written
    assert (erasure.existed, raw.xlen(keys.event_log("shop", keys.log_partition("alice")))) == (False, 1)


async def test_room_that_an_erasure_makes_is_enough_for_its_tombstone(store, raw):
    for number in range(20):
        await store.write_events([replace(event("alice"), event_id=f"{'e' * 900}-{number}-{n}") for n in range(100)])
    await store.read("bob", "b1")
    raw.config_set("maxmemory", int(raw.info("memory")["used_memory"]) - 300_000)
    erasure = await store.delete_user("alice")
    assert erasure.log_entries == 2_000
    assert raw.xlen(keys.event_log("shop", keys.log_partition("alice"))) == 1


async def test_key_of_another_type_raises_without_naming_it(store, raw):
    raw.set(keys.user("shop", "alice"), "mine")
    with pytest.raises(StoreUnavailable) as caught:
        await store.write_events([event("alice")])
    assert "alice" not in "".join(traceback.format_exception(caught.value)).replace('event("alice")', "")


@pytest.mark.parametrize(
    "url",
    [
        "http://:hunter2@localhost:6379",
        "localhost:6379",
        "redis://:hunter2@localhost:port",
        "redis+cluster://:hunter2@localhost:port",
        "redis+sentinel://:hunter2@localhost:26379",
        "redis+sentinel://:hunter2@localhost:port/service",
        "",
    ],
)
async def test_unusable_url_is_refused_without_showing_its_password(url, tmp_path):
    with pytest.raises(SettingsError, match="redis://host") as caught:
        async with open_store(url, tmp_path, "shop"):
            pass
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)).replace(url, "")


@pytest.fixture
def sentinel_url(tmp_path: Path) -> Iterator[str]:
    """A Redis with a password, and a Sentinel that monitors it as `shop`."""
    redis_port, sentinel_port = free_ports(2)
    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor shop 127.0.0.1 {redis_port} 1\nsentinel auth-pass shop s3cret/@\n")
    servers = [
        subprocess.Popen([redis_server_binary(), *arguments], stdout=subprocess.DEVNULL, cwd=tmp_path)
        for arguments in (
            ("--port", str(redis_port), "--bind", "127.0.0.1", "--requirepass", "s3cret/@", "--save", ""),
            (str(config), "--sentinel", "--port", str(sentinel_port), "--bind", "127.0.0.1"),
        )
    ]
    try:
        wait_for_redis(redis.Redis(port=redis_port, password="s3cret/@"))  # noqa: S106  it lives for one test
        wait_for_redis(redis.Redis(port=sentinel_port))
        yield f"redis+sentinel://:s3cret%2F%40@127.0.0.1:{free_ports(1)[0]},127.0.0.1:{sentinel_port}/shop"
    finally:
        for server in servers:
            server.kill()
            server.wait()


async def test_sentinel_url_finds_the_master(sentinel_url, tmp_path):
    async with open_store(sentinel_url, tmp_path, "shop", timeout_seconds=10) as store:
        await store.write_events([event("alice")])
        assert len((await store.read("alice", "b1")).events) == 1


async def test_no_operation_blocks_the_event_loop(redis_server, tmp_path):
    with blockbuster_ctx():
        async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
            await store.write_events([event("alice")])
            assert (await store.read("alice", "b1")).version > 0
            assert (await store.delete_user("alice")).existed


async def test_redis_that_stays_silent_delays_only_a_few_calls_and_is_used_again_at_once(redis_server, tmp_path):
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=0.2) as store:
        await store.event_log.time()
        redis_server.pause()
        waits = []
        for _ in range(40):
            began = asyncio.get_running_loop().time()
            with pytest.raises(StoreUnavailable):
                await store.read("alice", "b1")
            waits.append(asyncio.get_running_loop().time() - began)
        redis_server.resume()
        assert sum(wait >= 0.2 for wait in waits) <= 5
        async with asyncio.timeout(10):
            while True:
                with suppress(StoreUnavailable):
                    await store.event_log.time()
                    break
                await asyncio.sleep(0.02)


async def test_one_slow_answer_refuses_no_other_call(redis_server, tmp_path, raw):
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=0.1) as store:
        await store.event_log.time()
        raw.client_pause(150)
        with pytest.raises(StoreUnavailable):
            await store.event_log.time()
        await asyncio.sleep(0.1)
        await store.event_log.time()


@pytest.mark.parametrize("by_script", [True, False])
async def test_redis_that_was_demoted_is_left(store, raw, *, by_script):
    await asyncio.gather(*(store.event_log.length(0) for _ in range(8)))
    before = {int(client["id"]) for client in raw.client_list()} - {raw.client_id()}
    assert len(before) > 1
    raw.execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(StoreUnavailable):
        await (store.switches.turn_off(Switch()) if by_script else store.event_log.trim(0, "1-0"))
    raw.execute_command("REPLICAOF", "NO", "ONE")  # as the Redis to which the address now leads
    await asyncio.gather(*(store.event_log.length(0) for _ in range(8)))
    assert not before & {int(client["id"]) for client in raw.client_list()}


async def test_credentials_and_databases_that_redis_refuses_end_the_start(redis_server, tmp_path, raw):
    raw.config_set("requirepass", "s3cret")
    for url in (
        f"unix://{redis_server.socket}",
        f"unix://:hunter2@{redis_server.socket}",
        f"unix://:s3cret@{redis_server.socket}?db=99",
    ):
        with pytest.raises(SettingsError, match="correct redis_url") as caught:
            async with open_store(url, tmp_path, "shop", timeout_seconds=10):
                pass
        assert "hunter2" not in "".join(traceback.format_exception(caught.value)).replace(url, "")
    async with open_store(f"unix://:s3cret@{redis_server.socket}", tmp_path, "shop", timeout_seconds=10) as store:
        await store.event_log.time()
