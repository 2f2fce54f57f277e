"""The private redis-server: its data survives, it is restarted, it ends with its owner, it has one owner."""

import asyncio
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import redis

from recsvc.domain.shop import Event, EventType
from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.store import UserStore, open_store
from recsvc.store.embedded import embedded_redis, redis_server_binary
from recsvc.store.private_folder import open_lock, try_lock


def event(event_id: str) -> Event:
    return Event(event_id, "alice", "tea", EventType.PURCHASE, 1_000)


async def events_of(store: UserStore) -> int:
    record = await store.read("alice", "b1")
    assert record is not None
    return len(record.events)


def server_pid(data_dir: Path) -> str:
    return (data_dir / "redis" / "server.lock").read_text().strip()


def is_running(data_dir: Path) -> bool:
    """Whether a server holds the lock. A process id would not show it: a dead child may remain as a zombie."""
    lock = open_lock(data_dir / "redis" / "server.lock")
    try:
        return not try_lock(lock)
    finally:
        os.close(lock)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  another process has no Event to wait for
            await asyncio.sleep(0.01)


async def stopped(data_dir: Path) -> bool:
    return not is_running(data_dir)


async def replaced(data_dir: Path, pid: str) -> bool:
    return server_pid(data_dir) not in ("", pid)


async def answers(store: UserStore) -> bool:
    try:
        await store.event_log.time()
    except StoreUnavailable:
        return False
    return True


async def wait_until_on_disk(data_dir: Path) -> None:
    """Waits until Redis has written what it acknowledged, which a slow disk may delay."""
    client = redis.Redis(unix_socket_path=str(data_dir / "redis" / "redis.sock"))

    async def written() -> bool:
        return client.info("persistence")["aof_buffer_length"] == 0

    await eventually(written)


async def test_data_survives_a_restart_and_nothing_is_left_running(tmp_path):
    async with open_store(None, tmp_path, "shop", timeout_seconds=10) as store:
        await store.write_events([event("e1")])
        assert is_running(tmp_path)
    assert not is_running(tmp_path)
    async with open_store(None, tmp_path, "shop", timeout_seconds=10) as store:
        assert await events_of(store) == 1


async def test_socket_is_only_for_this_user(tmp_path):
    async with embedded_redis(tmp_path) as url:
        with redis.Redis.from_url(url) as raw:
            assert raw.config_get("port") == {"port": "0"}
            assert raw.config_get("append*") == {
                "appendonly": "yes",
                "appendfsync": "everysec",
                "appendfilename": "appendonly.aof",
            }
        assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700


async def test_killed_server_is_restarted_with_its_data(tmp_path):
    async with open_store(None, tmp_path, "shop", timeout_seconds=10) as store:
        await store.write_events([event("e1")])
        await wait_until_on_disk(tmp_path)
        for _ in range(2):
            killed = server_pid(tmp_path)
            os.kill(int(killed), signal.SIGKILL)
            await eventually(partial(replaced, tmp_path, killed))
            await eventually(partial(answers, store))
            assert await events_of(store) == 1
        await store.write_events([event("e2")])
        assert await events_of(store) == 2
    assert not is_running(tmp_path)


async def test_data_folder_with_a_long_path_works(tmp_path):
    data_dir = tmp_path / ("long" * 40)
    async with open_store(None, data_dir, "shop", timeout_seconds=10) as store:
        await store.write_events([event("e1")])
        assert await events_of(store) == 1
        assert is_running(data_dir)


async def test_data_folder_in_use_is_refused(tmp_path):
    async with embedded_redis(tmp_path):
        with pytest.raises(SettingsError, match="in use"):
            async with embedded_redis(tmp_path):
                pass


async def test_data_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be used"):
        async with embedded_redis(tmp_path / "file"):
            pass


async def test_server_with_unreadable_data_fails_at_once(tmp_path):
    async with embedded_redis(tmp_path):
        pass
    (tmp_path / "redis" / "appendonly.aof").write_bytes(b"this is no append-only file\r\n" * 10)
    with pytest.raises(StoreUnavailable, match=r"redis\.log"):
        async with embedded_redis(tmp_path):
            pass


OWNER = """
import asyncio, pathlib, sys
from recsvc.domain.shop import Event, EventType
from recsvc.store import open_store

async def own():
    async with open_store(None, pathlib.Path(sys.argv[1]), "shop", timeout_seconds=10) as store:
        await store.write_events([Event("e1", "alice", "tea", EventType.PURCHASE, 1_000)])
        print("ready", flush=True)
        await asyncio.sleep(600)

asyncio.run(own())
"""


async def test_server_of_a_killed_owner_ends_and_the_next_one_has_its_data(tmp_path):
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, str(tmp_path), stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"ready\n"
    owner.kill()
    await owner.wait()
    await eventually(partial(stopped, tmp_path))
    async with open_store(None, tmp_path, "shop", timeout_seconds=10) as store:
        assert await events_of(store) == 1


async def test_server_left_running_is_stopped_first(tmp_path):
    async with open_store(None, tmp_path, "shop", timeout_seconds=10) as store:
        await store.write_events([event("e1")])
    # As on systems where the kernel does not end a child with its parent.
    folder = tmp_path / "redis"
    lock = open_lock(folder / "server.lock")
    assert try_lock(lock)
    left_over = await asyncio.create_subprocess_exec(
        *(redis_server_binary(), "--port", "0", "--dir", str(folder), "--appendonly", "yes", "--save", ""),
        pass_fds=(lock,),
        stdout=subprocess.DEVNULL,
    )
    os.pwrite(lock, str(left_over.pid).ljust(20).encode(), 0)
    os.close(lock)
    async with open_store(None, tmp_path, "shop", timeout_seconds=10) as store:
        async with asyncio.timeout(30):
            await left_over.wait()
        assert await events_of(store) == 1


async def test_a_full_disk_is_one_clear_error_and_leaves_no_server(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # no file may grow, as on a full disk
    try:
        with pytest.raises(SettingsError, match="the data folder cannot be used: File too large"):
            async with embedded_redis(tmp_path):
                raise AssertionError("no server can have started")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not is_running(tmp_path)
    async with embedded_redis(tmp_path):  # with room again, the folder is free
        assert is_running(tmp_path)
