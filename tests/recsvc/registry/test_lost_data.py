"""A Redis that lost data gets back what the running process knows, and the process says what happened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import structlog.testing

from recsvc.domain.degradation import Degradation
from recsvc.domain.query import Query
from recsvc.domain.records import ItemChange, ItemField, Switch, UserRecord
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType, Item
from recsvc.registry.backend import Backend
from recsvc.store import UserStore, hash_of, keys, open_store
from tests.conftest import RedisServer

SOLD_OUT, PRICED, DELETED, OTHER = "i00000", "i00001", "i00002", "i00003"


@pytest.fixture
def raw(redis_server: RedisServer) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(redis_server.socket))


@pytest.fixture
async def backend(small_bundle: Path, redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Backend]:
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
        backend = Backend(ServingConfig(bundle=small_bundle, cache_size=100), store)
        await backend.start()
        yield backend
        await backend.close()


@pytest.fixture
async def elsewhere(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[UserStore]:
    """The store of another process."""
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
        yield store


@contextmanager
def going_back(raw: redis.Redis) -> Iterator[None]:
    """Redis has at the end what it had at the beginning, as a replica that was behind."""
    before = {key: raw.dump(key) for key in raw.scan_iter()}
    yield
    pipeline = raw.pipeline()
    pipeline.flushall()
    for key, dumped in before.items():
        assert dumped is not None
        pipeline.restore(key, 0, dumped)
    pipeline.execute()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - Redis has no event for it
            await asyncio.sleep(0.01)


async def shop_changes(backend: Backend) -> None:
    """Makes a change of each kind, and waits until this process has followed it."""
    [content] = await backend.encoder.encode_items([Item("new", "A copper kettle")])
    await backend.store.catalogue.set(
        [
            ItemChange(SOLD_OUT, ItemField.STOCK, 0, 0.0),
            ItemChange(PRICED, ItemField.PRICE, 0, 3.5),
            ItemChange(DELETED, ItemField.DELETED, 0, 1.0),
            ItemChange("new", ItemField.CONTENT, 0, content),
        ]
    )
    await until(lambda: knows(backend, "new"))


async def knows(backend: Backend, item_id: str) -> bool:
    return backend.registry.current.knows_item(item_id)


async def stored(store: UserStore) -> dict[tuple[str, ItemField], object]:
    return {
        (change.item_id, change.field): change.value async for page in store.catalogue.read_all() for change in page
    }


async def record(store: UserStore, user_id: str) -> UserRecord:
    record = await store.read(user_id, "")
    assert record is not None
    return record


async def has_item_changes(store: UserStore) -> bool:
    values = await stored(store)
    expected = {(SOLD_OUT, ItemField.STOCK): 0.0, (PRICED, ItemField.PRICE): 3.5, (DELETED, ItemField.DELETED): 1.0}
    return expected.items() <= values.items() and ("new", ItemField.CONTENT) in values


def listable(backend: Backend, item_id: str) -> bool:
    snapshot = backend.registry.current.snapshot
    return bool(snapshot.inventory.listable(snapshot.bundle.catalogue.rows([item_id]))[0])


@pytest.mark.parametrize("loss", ["emptied", "went back", "stock evicted", "words evicted", "all evicted"])
async def test_lost_item_changes_are_written_back(
    backend: Backend, elsewhere: UserStore, raw: redis.Redis, loss: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        if loss == "went back":
            with going_back(raw):
                await shop_changes(backend)
        else:
            await shop_changes(backend)
        evicted: dict[str, Iterable[ItemField]] = {
            "stock evicted": [ItemField.STOCK],
            "words evicted": [ItemField.CONTENT],
            "all evicted": ItemField,
        }
        if loss == "emptied":
            raw.flushall()
        for field in evicted.get(loss, []):
            raw.delete(keys.catalogue("shop", field))
        await until(lambda: has_item_changes(elsewhere))
    assert any(line["event"] == "redis_lost_data" and line["data"] == "items" for line in logs)
    assert any("items" in problem for problem in backend.store.condition.problems())
    answer = await backend.router.recommend(Query(user_id="ann", k=5))
    assert Degradation.DATA_LOST in answer.degraded


async def test_changes_by_others_after_redis_went_back_are_followed(
    backend: Backend, elsewhere: UserStore, raw: redis.Redis
) -> None:
    await elsewhere.catalogue.set([ItemChange(OTHER, ItemField.STOCK, 0, 5.0)])
    with going_back(raw):
        await shop_changes(backend)
    later = [ItemChange(f"i{number:05d}", ItemField.STOCK, 0, 0.0) for number in range(10, 20)]
    await elsewhere.catalogue.set(later)

    async def followed() -> bool:
        return not any(listable(backend, change.item_id) for change in later)

    await until(followed)
    assert not listable(backend, SOLD_OUT)
    await until(lambda: has_item_changes(elsewhere))


async def test_change_that_was_lost_before_any_process_followed_it_is_written_back_by_its_writer(
    backend: Backend, elsewhere: UserStore, raw: redis.Redis
) -> None:
    await shop_changes(backend)
    with going_back(raw):
        await backend.store.catalogue.set([ItemChange(OTHER, ItemField.STOCK, 0, 0.0)])

    async def restored() -> bool:
        return (await stored(elsewhere)).get((OTHER, ItemField.STOCK)) == 0.0

    await until(restored)
    await asyncio.sleep(0.1)
    assert not listable(backend, OTHER)


async def test_later_value_of_another_process_is_not_replaced_by_a_lost_one(
    backend: Backend, elsewhere: UserStore, raw: redis.Redis
) -> None:
    with going_back(raw):
        await shop_changes(backend)
    await elsewhere.catalogue.set([ItemChange(SOLD_OUT, ItemField.STOCK, 0, 7.0)])

    async def price_restored() -> bool:
        return (PRICED, ItemField.PRICE) in await stored(elsewhere)

    await until(price_restored)
    assert (await stored(elsewhere))[SOLD_OUT, ItemField.STOCK] == 7.0
    await asyncio.sleep(0.1)
    assert listable(backend, SOLD_OUT)


@pytest.mark.parametrize("by_this_process", [True, False])
async def test_erased_user_who_came_back_is_erased_again(
    backend: Backend, elsewhere: UserStore, raw: redis.Redis, *, by_this_process: bool
) -> None:
    for user_id in ("ann", "bob"):
        await elsewhere.write_events([Event(f"e-{user_id}", user_id, PRICED, EventType.PURCHASE, 1_000)])
    with going_back(raw):
        await (backend.store if by_this_process else elsewhere).delete_user("ann")
        await asyncio.sleep(0.25)  # for the news to arrive
    assert (await record(elsewhere, "ann")).version

    async def erased() -> bool:
        return not (await record(elsewhere, "ann")).version

    await until(erased)
    assert (await elsewhere.export_user("ann")).events == ()
    assert len((await elsewhere.export_user("bob")).events) == 1


async def test_erased_user_who_began_again_is_kept_when_redis_was_emptied(
    backend: Backend, elsewhere: UserStore, raw: redis.Redis
) -> None:
    await backend.store.delete_user("ann")
    await backend.store.delete_user("bob")
    await asyncio.sleep(0.25)  # for the news to arrive
    raw.flushall()
    now = await elsewhere.event_log.time()
    await elsewhere.write_events([Event("e1", "ann", PRICED, EventType.PURCHASE, now)])

    async def bob_was_erased_again() -> bool:
        return hash_of("bob") in (await elsewhere.erasures.read_all())[1].values()

    await until(bob_was_erased_again)
    await asyncio.sleep(0.25)
    assert len((await record(elsewhere, "ann")).events) == 1


async def test_text_that_was_turned_off_stays_off(backend: Backend, elsewhere: UserStore, raw: redis.Redis) -> None:
    switch = Switch(language="de")
    await backend.text_policy.turn_off(switch)
    raw.flushall()

    async def is_off() -> bool:
        return (await elsewhere.switches.read()).off == {switch}

    await until(is_off)
    assert backend.text_policy.writer.switches.off == {switch}
    await backend.text_policy.turn_on(switch)
    await asyncio.sleep(0.6)
    assert not (await elsewhere.switches.read()).off


async def test_active_bundle_is_written_back(backend: Backend, elsewhere: UserStore, raw: redis.Redis) -> None:
    bundle_id = backend.registry.bundle_id
    await backend.registry.activate(bundle_id)
    wanted = await elsewhere.models.wanted()
    assert wanted.active == bundle_id
    raw.flushall()

    async def restored() -> bool:
        return await elsewhere.models.wanted() == wanted

    await until(restored)


async def test_what_the_operator_says_first_after_a_loss_holds(
    backend: Backend, elsewhere: UserStore, raw: redis.Redis
) -> None:
    bundle_id, switch = backend.registry.bundle_id, Switch(language="de")
    for _ in range(3):
        await backend.registry.activate(bundle_id)
        await backend.text_policy.turn_off(switch)
    before = await elsewhere.models.wanted()
    raw.flushall()
    await backend.registry.activate(bundle_id)  # before the process has noticed the loss
    await backend.text_policy.turn_on(switch)
    wanted = await elsewhere.models.wanted()
    assert wanted.active == bundle_id
    assert wanted.number > before.number  # so another process, which knows that number, does not write it back
    await asyncio.sleep(0.6)
    assert await elsewhere.models.wanted() == wanted
    assert not (await elsewhere.switches.read()).off


async def test_lost_user_data_is_told_though_no_item_was_lost(backend: Backend, raw: redis.Redis) -> None:
    with going_back(raw):
        await asyncio.sleep(0.6)  # the process looks twice a second
    with structlog.testing.capture_logs() as logs:

        async def told() -> bool:
            return Degradation.DATA_LOST in backend.store.condition.degradations

        await until(told)
    assert [line["data"] for line in logs if line["event"] == "redis_lost_data"] == ["state"]


async def test_policy_that_may_evict_is_told_while_it_holds(backend: Backend, raw: redis.Redis) -> None:
    async def told() -> bool:
        return any("volatile-lru" in problem for problem in backend.store.condition.problems())

    assert backend.store.condition.problems() == ()
    raw.config_set("maxmemory-policy", "volatile-lru")
    with structlog.testing.capture_logs() as logs:
        await until(told)
    assert [line["maxmemory_policy"] for line in logs if line["event"] == "redis_may_evict"] == ["volatile-lru"]
    _, processes, _ = await backend.registry.list_bundles()
    assert "noeviction" in processes[0].store_problems[0]
    raw.config_set("maxmemory-policy", "noeviction")

    async def over() -> bool:
        return not backend.store.condition.problems()

    await until(over)


async def test_evictions_are_counted_and_told(backend: Backend, elsewhere: UserStore, raw: redis.Redis) -> None:
    await elsewhere.write_events([Event(f"e{n}", f"u{n}", PRICED, EventType.VIEW, 1_000) for n in range(200)])
    raw.config_set("maxmemory-policy", "allkeys-random")
    raw.config_set("maxmemory", str(int(raw.info("memory")["used_memory"]) - 20_000))
    with structlog.testing.capture_logs() as logs:

        async def told() -> bool:
            return any("evicted" in problem for problem in backend.store.condition.problems())

        await until(told)
    raw.config_set("maxmemory", 0)
    assert any(line["event"] == "redis_lost_data" and line["data"] == "evicted" for line in logs)
