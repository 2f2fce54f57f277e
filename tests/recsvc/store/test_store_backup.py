"""A backup of a namespace, and its restoration: complete, checked, and never over other data."""

import asyncio
import gzip
import hashlib
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from recsvc.__main__ import main
from recsvc.domain.records import ItemChange, ItemField, Switch
from recsvc.domain.shop import Event, EventType, Profile
from recsvc.store import UserStore, open_store
from tests.conftest import RedisServer

USERS = [f"ann{{}}:{number}" for number in range(700)]  # more than a page; ids that keys encode


async def fill(store: UserStore) -> None:
    await store.write_events([Event(f"e-{user}", user, "i1", EventType.PURCHASE, 1_000) for user in USERS])
    await store.set_profile(USERS[0], Profile("tea"), np.ones(2, np.float32))
    await store.catalogue.set([ItemChange("i1", ItemField.STOCK, 0, 0.0)])
    await store.switches.turn_off(Switch(language="de"))
    await store.models.activate("b1", "b0")
    await store.delete_user(USERS[1])
    assert not await store.watch.has_gone_back()


def content(raw: redis.Redis, namespace: str) -> dict[bytes, tuple[object, bool]]:
    """By key without its namespace: the value, and whether it expires. Beats are of a moment."""
    start = f"{{{namespace}:".encode()
    # A dump has the members of a set and the fields of a hash in any order.
    readers: dict[Any, Any] = {b"set": raw.smembers, b"hash": raw.hgetall}
    return {
        key.removeprefix(start): (readers.get(raw.type(key), raw.dump)(key), raw.pttl(key) > 0)
        for key in raw.scan_iter(f"{{{namespace}:*")
        if b":beats:" not in key
    }


@pytest.fixture
async def backup(redis_server: RedisServer, tmp_path: Path) -> Path:
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
        await fill(store)
        await store.popularity.close()
    file = tmp_path / "shop.backup"
    await asyncio.to_thread(run, "backup", file, redis_server)
    return file


def run(command: str, file: Path, server: RedisServer, *flags: str) -> int:
    return main([command, str(file), "--redis", f"unix://{server.socket}", "--namespace", "shop", *flags])


def test_restored_namespace_is_the_same(redis_server: RedisServer, backup: Path, raw: redis.Redis) -> None:
    before = content(raw, "shop")
    assert len(before) > len(USERS)
    assert backup.stat().st_mode & 0o077 == 0
    raw.flushall()
    raw.set("{shopping:x}:1:user", "of another shop")
    assert run("restore", backup, redis_server) == 0
    assert content(raw, "shop") == before
    assert main(["restore", str(backup), "--redis", f"unix://{redis_server.socket}", "--namespace", "copy"]) == 0
    assert content(raw, "copy") == before
    assert raw.get("{shopping:x}:1:user") == b"of another shop"


def test_namespace_with_keys_is_refused_unless_it_is_to_be_replaced(
    redis_server: RedisServer, backup: Path, raw: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(raw, "shop")
    raw.set("{shop:later}:1:user", "x")
    assert run("restore", backup, redis_server) == 2
    assert "stop all processes" in capsys.readouterr().err
    assert raw.get("{shop:later}:1:user") == b"x"
    assert run("restore", backup, redis_server, "--replace") == 0
    assert content(raw, "shop") == before


def test_file_that_exists_is_not_written_over(
    redis_server: RedisServer, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("backup", backup, redis_server) == 2
    assert "name another file" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["cut", "cut record", "altered", "other schema", "text", "missing", "empty"])
def test_damaged_file_is_refused_before_a_key_is_written(
    redis_server: RedisServer, backup: Path, raw: redis.Redis, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    raw.flushall()
    plain = gzip.decompress(backup.read_bytes())
    match damage:
        case "cut":
            backup.write_bytes(backup.read_bytes()[:-100])
        case "cut record":
            backup.write_bytes(gzip.compress(plain[: len(plain) // 2]))
        case "altered":
            middle = plain.index(b":user") + 40
            backup.write_bytes(gzip.compress(plain[:middle] + bytes([plain[middle] ^ 1]) + plain[middle + 1 :]))
        case "other schema":
            backup.write_bytes(gzip.compress(plain.replace(b'"schema": 1', b'"schema": 2', 1)))
        case "text":
            backup.write_text("no backup")
        case "missing":
            backup.unlink()
        case "empty":
            backup.write_bytes(b"")
    assert run("restore", backup, redis_server) == 2
    assert str(backup) in capsys.readouterr().err
    assert raw.keys("{shop:*") == []


def test_namespace_without_keys_gets_no_backup_and_no_key(
    redis_server: RedisServer, tmp_path: Path, raw: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "typo.backup"
    assert run("backup", file, redis_server) == 2
    assert "'shop' has no keys" in capsys.readouterr().err
    assert list(tmp_path.glob("typo*")) == []
    assert raw.keys("{shop:*") == []


def test_file_of_a_newer_redis_is_refused_before_a_key_is_removed(
    redis_server: RedisServer, backup: Path, raw: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(raw, "shop")
    with gzip.open(backup, "rb") as source:
        header = source.readline()
    value = raw.dump("{shop:schema}:version")
    assert isinstance(value, bytes)
    newer = value[:-10] + b"\xff\xff" + value[-8:]  # the version of the format, and the checksum of Redis
    key = b"{shop:schema}:version"
    record = struct.pack("<IIqB", len(key), len(newer), -1, 1) + key + newer
    end = hashlib.sha256(record).digest()
    backup.write_bytes(gzip.compress(header + record + struct.pack("<IIqB", 0, len(end), 1, 0) + end))
    assert run("restore", backup, redis_server, "--replace") == 2
    assert "newer Redis" in capsys.readouterr().err
    assert content(raw, "shop") == before


def test_no_key_that_expires_meanwhile_is_restored_for_ever(
    redis_server: RedisServer, tmp_path: Path, raw: redis.Redis
) -> None:
    pipeline = raw.pipeline(transaction=False)
    start = time.time_ns() // 1_000_000 + 300
    for number in range(5_000):  # each millisecond of the backup some of them expire
        pipeline.execute_command("SET", f"{{shop:{number}}}:1:user", "x", "PXAT", start + number // 25)
    pipeline.execute()
    while time.time_ns() // 1_000_000 < start:
        time.sleep(0.01)
    file = tmp_path / "shop.backup"
    assert run("backup", file, redis_server) == 0
    assert main(["restore", str(file), "--redis", f"unix://{redis_server.socket}", "--namespace", "copy"]) == 0
    assert [key for key in raw.scan_iter("{copy:*}:1:user") if raw.ttl(key) == -1] == []
