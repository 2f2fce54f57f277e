"""A write is acknowledged when it is as durable as the operator chose, and refused when it is not."""

import asyncio
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError

from recsvc.domain.records import ItemChange, ItemField, Switch
from recsvc.domain.shop import NO_TASTE, Event, EventType, Profile, Taste
from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.store import UserStore, keys, open_store
from recsvc.store.connection import RedisClient, connected
from recsvc.store.durability import Durability
from tests.conftest import RedisServer, wait_for_redis
from tests.stateful.redis_pair import RedisNode, RedisPair


@pytest.fixture
def pair() -> Iterator[tuple[RedisNode, RedisNode]]:
    """A master, and a replica that follows it."""
    folder = Path(tempfile.mkdtemp(prefix="recsvc-test-"))
    master = RedisNode(folder / "master")
    replica = RedisNode(folder / "replica", master.port)
    wait_for_redis(redis.Redis(port=replica.port))
    try:
        master.client.set("first", "1")
        assert master.client.execute_command("WAIT", 1, 20_000) == 1
        yield master, replica
    finally:
        master.kill()
        replica.kill()
        shutil.rmtree(folder)


@pytest.fixture
async def store(pair: tuple[RedisNode, RedisNode], tmp_path: Path) -> AsyncIterator[UserStore]:
    url = f"unix://{pair[0].socket}"
    async with open_store(url, tmp_path, "shop", timeout_seconds=1.0, durability="replicas:1") as store:
        yield store


def view(user_id: str) -> Event:
    return Event(secrets.token_hex(4), user_id, "i1", EventType.VIEW, 1_000)


async def test_acknowledged_events_are_on_the_replica_when_the_master_dies(
    pair: tuple[RedisNode, RedisNode], store: UserStore
) -> None:
    master, replica = pair
    users = [f"u{number}" for number in range(50)]
    await asyncio.gather(*(store.write_events([view(user_id)]) for user_id in users))
    master._process.send_signal(signal.SIGKILL)  # noqa: SLF001 - the node is restarted by its own `kill`
    assert [user_id for user_id in users if not replica.client.exists(keys.user("shop", user_id))] == []


async def test_every_kind_of_write_is_refused_while_no_replica_has_it(
    pair: tuple[RedisNode, RedisNode], store: UserStore
) -> None:
    _, replica = pair
    await store.write_events([view("ann")])
    replica._process.send_signal(signal.SIGSTOP)  # noqa: SLF001
    writes = {
        "events": store.write_events([view("ann")]),
        "profile": store.set_profile("ann", Profile("tea"), None),
        "taste": store.update_taste("ann", Taste(less_brands=frozenset({"Acme"})), NO_TASTE, 10),
        "erasure": store.delete_user("ann"),
        "items": store.catalogue.set([ItemChange("i1", ItemField.STOCK, 0, 0.0)]),
        "switch off": store.switches.turn_off(Switch(language="de")),
        "switch on": store.switches.turn_on(Switch(language="de")),
        "activate": store.models.activate("b1", "b0"),
        "keep": store.models.keep_loaded("b1"),
        "roll back": store.models.roll_back(),
    }
    answers = dict(zip(writes, await asyncio.gather(*writes.values(), return_exceptions=True), strict=True))
    replica._process.send_signal(signal.SIGCONT)  # noqa: SLF001
    assert {name for name, answer in answers.items() if isinstance(answer, StoreUnavailable)} == set(writes)
    assert "send it again" in str(answers["events"])
    async with asyncio.timeout(20):
        while True:
            try:
                await store.write_events([view("ann")])
            except StoreUnavailable:
                continue
            return


async def test_calls_at_the_same_time_share_the_wait(pair: tuple[RedisNode, RedisNode], store: UserStore) -> None:
    master, _ = pair
    before = master.client.info("commandstats")["cmdstat_wait"]["calls"]
    await asyncio.gather(*(store.write_events([view(f"u{number}")]) for number in range(64)))
    assert master.client.info("commandstats")["cmdstat_wait"]["calls"] - before < 32


async def test_default_durability_sends_no_further_command(redis_server: RedisServer, tmp_path: Path) -> None:
    with redis.Redis(unix_socket_path=str(redis_server.socket)) as raw:
        async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=5) as store:
            await store.write_events([view("ann")])
        assert raw.keys("*confirmation*") == []
        assert "cmdstat_wait" not in raw.info("commandstats")


@pytest.mark.parametrize(
    ("configuration", "problem"),
    [
        ({"appendfsync": "everysec"}, "appendfsync to always"),
        ({"appendfsync": "always", "appendonly": "no"}, "set appendonly to yes"),
        ({"appendfsync": "always"}, ""),
    ],
)
async def test_fsync_is_checked_at_the_start(
    redis_server: RedisServer, tmp_path: Path, configuration: dict[str, str], problem: str
) -> None:
    with redis.Redis(unix_socket_path=str(redis_server.socket)) as raw:
        for name, value in configuration.items():
            raw.config_set(name, value)
    opening = open_store(f"unix://{redis_server.socket}", tmp_path, "shop", timeout_seconds=5, durability="fsync")
    if problem:
        with pytest.raises(SettingsError, match=problem):
            await opening.__aenter__()
    else:
        async with opening as store:
            await store.write_events([view("ann")])


async def test_fsync_that_the_acl_hides_ends_the_start_with_the_remedy(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"permit \+config\|get"):
        async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=5, durability="fsync"):
            pass


async def test_write_that_only_the_killed_master_had_is_not_confirmed_by_the_new_one(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="recsvc-test-"))
    pair = RedisPair(folder, 1)

    async def write_during_failover(client: RedisClient, durability: Durability) -> None:
        async with durability.confirmed():
            await client.execute_command("SET", "lost", "1")
            pair.fail_over(demote=False)
            pair.reconnect(0)
            pair.master.client.set("first", "1")
            assert pair.master.client.execute_command("WAIT", 1, 20_000) == 1
            with suppress(RedisError):
                await client.execute_command("PING")  # another call learns that the old connection is broken

    try:
        async with connected(pair.url(0), 1.0) as client:
            durability = Durability(client, "shop", "replicas:1", 1.0)
            pair.stop_following()
            with pytest.raises(StoreUnavailable, match="failed over"):
                await write_during_failover(client, durability)
            assert not pair.master.client.exists("lost")
            async with durability.confirmed():  # the new master is used from now on
                await client.execute_command("SET", "kept", "1")
            assert pair.replica.client.exists("kept")
    finally:
        pair.close()
        shutil.rmtree(folder)
