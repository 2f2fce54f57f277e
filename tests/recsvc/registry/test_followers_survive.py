"""A value in Redis that cannot be read ends no follower, and no start."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis

from recsvc.domain.degradation import Degradation
from recsvc.domain.query import Query
from recsvc.domain.records import ItemChange, ItemField, Switch
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType
from recsvc.registry.backend import Backend
from recsvc.store import UserStore, keys, open_store
from tests.conftest import RedisServer

ITEM = "i00000"


@pytest.fixture
def raw(redis_server: RedisServer) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(redis_server.socket))


@pytest.fixture
async def store(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[UserStore]:
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
        yield store


def spoil(raw: redis.Redis) -> None:
    """Puts values into Redis that no version writes, or a later one."""
    raw.hset(keys.models("shop", "bundles"), mapping={"active": b"\xff\xfe"})
    raw.hset(keys.models("shop", "processes"), mapping={"later": '["a later version"]', "odd": b"\xff"})
    raw.xadd(keys.erasures("shop"), {"x": "y"})
    raw.xadd(keys.erasures("shop"), {"h": "no number"})
    raw.xadd(keys.catalogue_changes("shop"), {"f": "colour", "i": ITEM, "v": "red", "n": "1"})
    raw.hset(keys.catalogue("shop", "price"), ITEM, b"\x09later")
    raw.sadd(keys.switches("shop"), b"\xff", b'{"number": "x"}')


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - Redis has no event for it
            await asyncio.sleep(0.01)


def listable(backend: Backend, item_id: str) -> bool:
    snapshot = backend.registry.current.snapshot
    return bool(snapshot.inventory.listable(snapshot.bundle.catalogue.rows([item_id]))[0])


@pytest.mark.parametrize("before_the_start", [True, False])
async def test_followers_go_on_after_values_that_they_cannot_read(
    small_bundle: Path, store: UserStore, raw: redis.Redis, *, before_the_start: bool
) -> None:
    backend = Backend(ServingConfig(bundle=small_bundle, cache_size=100), store)
    if before_the_start:
        spoil(raw)
    await backend.start()
    try:
        spoil(raw)
        await until(lambda: any(problem.startswith("bundles") for problem in store.condition.problems()))
        # Everything else is followed, and the bundle that answers goes on.
        await store.catalogue.set([ItemChange(ITEM, ItemField.STOCK, 0, 0.0)])
        await until(lambda: not listable(backend, ITEM))
        await backend.text_policy.turn_off(Switch(language="de"))
        await store.write_events([Event("e1", "ann", ITEM, EventType.PURCHASE, 1_000)])
        await backend.router.recommend(Query(user_id="ann", k=5))
        states = backend.registry.current._states._memory.states  # noqa: SLF001 - no call shows what is kept
        assert "ann" in states
        async with open_store(f"unix://{raw.connection_pool.connection_kwargs['path']}", small_bundle, "shop") as other:
            await other.delete_user("ann")
        await until(lambda: "ann" not in states)
        raw.hdel(keys.models("shop", "bundles"), "active")
        await until(lambda: not store.condition.problems())
        await backend.registry.activate(backend.registry.bundle_id)
        _, processes, wanted = await backend.registry.list_bundles()
        assert wanted.active == backend.registry.bundle_id
        assert [process.serving for process in processes] == [wanted.active]
    finally:
        await backend.close()


async def test_lists_say_that_changes_of_items_cannot_be_read(
    small_bundle: Path, store: UserStore, raw: redis.Redis
) -> None:
    backend = Backend(ServingConfig(bundle=small_bundle, cache_size=100), store)
    await backend.start()
    try:
        answer = await backend.router.recommend(Query(user_id="ann", k=5))
        assert answer.degraded == ()
        raw.set(keys.catalogue_changes("shop"), "not a stream")
        await until(lambda: Degradation.ITEMS_BEHIND in store.condition.degradations)
        answer = await backend.router.recommend(Query(user_id="ann", k=5))
        assert answer.degraded == (Degradation.ITEMS_BEHIND,)
        raw.delete(keys.catalogue_changes("shop"))
        await until(lambda: Degradation.ITEMS_BEHIND not in store.condition.degradations)
        answer = await backend.router.recommend(Query(user_id="ann", k=5))
        assert answer.degraded == ()
    finally:
        await backend.close()
