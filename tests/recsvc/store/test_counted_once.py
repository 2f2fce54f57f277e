"""A new event counts once, also if an answer of Redis is lost and the event is sent again."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from recsvc.domain.shop import UNDATED, Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.store import UserStore, keys, open_store, user_scripts
from recsvc.store.claims import CLAIM_SECONDS
from tests.conftest import RedisServer
from tests.recsvc.store.lossy_redis import LossyRedis

SALE = Event("sale", "alice", "tea", EventType.PURCHASE, UNDATED)
SHOWN = Event("shown", "alice", "milk", EventType.IMPRESSION, UNDATED)
SCRIPTS = {"read": user_scripts.READ_HISTORY, "write": user_scripts.WRITE_EVENTS}
# What the request whose answer is lost contains.
LOST = {
    name: hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest().encode() for name, script in SCRIPTS.items()
}
EVENTS = {"sale": [SALE], "impression": [SHOWN], "both": [SALE, SHOWN]}


class Counted(Counter[str]):
    """How often each event id was counted."""

    def add(self, events: Sequence[Event]) -> None:
        self.update(event.event_id for event in events)


@pytest.fixture
async def lossy(redis_server: RedisServer) -> AsyncIterator[LossyRedis]:
    lossy = LossyRedis(redis_server.folder / "lossy.sock", redis_server.socket)
    await lossy.start()
    yield lossy
    await lossy.stop()


@pytest.fixture
async def behind(lossy: LossyRedis, tmp_path) -> AsyncIterator[UserStore]:
    """A store behind the proxy, whose scripts Redis knows."""
    async with open_store(lossy.url, tmp_path, "shop", timeout_seconds=10) as store:
        await store.write_events([Event("first", "bob", "tea", EventType.VIEW, UNDATED)])
        yield store


async def until(counted: Counted, events: int) -> None:
    deadline = time.monotonic() + 10
    while counted.total() < events:
        assert time.monotonic() < deadline, counted
        await asyncio.sleep(0.005)


async def sold(store: UserStore) -> float:
    await store.popularity.close()
    return (await store.popularity.read()).popular.get("tea", 0.0)


async def test_events_sent_again_in_batches_and_calls_count_once(store):
    counted = Counted()
    for batch in ([SALE, SHOWN, SALE], [SHOWN], [SALE], [SHOWN, replace(SALE, event_id="other")]):
        await store.write_events(batch, counted.add)
    assert counted == {"sale": 1, "shown": 1, "other": 1}


async def test_an_event_is_of_its_user(store):
    counted = Counted()
    await store.write_events([SALE, replace(SALE, user_id="bob"), SHOWN, replace(SHOWN, user_id="bob")], counted.add)
    assert counted == {"sale": 2, "shown": 2}


async def test_an_event_that_a_full_history_dropped_is_not_counted_again(client, raw):
    small, counted = UserStore(client, "shop", history_limit=2), Counted()
    views = [Event(f"e{n}", "alice", "tea", EventType.VIEW, 1_000 + n) for n in range(4)]
    for view in [*views, *views]:
        await small.write_events([view], counted.add)
        raw.delete(keys.counted("shop", "alice"))  # as an hour later
    assert set(counted.values()) == {1}


async def test_claims_expire_and_go_with_their_user(store, raw):
    await store.write_events([SALE, SHOWN])
    key = keys.counted("shop", "alice")
    assert CLAIM_SECONDS - 60 < raw.ttl(key) <= CLAIM_SECONDS
    await store.delete_user("alice")
    assert not raw.exists(key)


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("sent", EVENTS)
async def test_events_whose_answer_was_lost_count_once_when_sent_again(behind, lossy, lost, sent):
    counted, before, events = Counted(), await sold(behind), EVENTS[sent]
    lossy.lose(LOST[lost])
    with pytest.raises(StoreUnavailable):
        await behind.write_events(events, counted.add)
    assert lossy.losses == 1
    for _ in range(2):
        await behind.write_events(events, counted.add)
    await until(counted, len(events))
    await behind.write_events(events, counted.add)
    assert counted == {event.event_id: 1 for event in events}
    assert (await sold(behind) > before + 0.9) == (SALE in events)


async def test_events_sent_again_to_another_server_while_the_first_is_cut_off_count_once(behind, lossy, store):
    counted, by_another = Counted(), Counted()
    lossy.lose(LOST["write"], then_away=True)
    with pytest.raises(StoreUnavailable):
        await behind.write_events([SALE, SHOWN], counted.add)
    assert lossy.losses == 1
    await store.write_events([SALE, SHOWN], by_another.add)
    assert by_another == {}
    lossy.is_away = False
    await until(counted, 2)
    assert counted == {"sale": 1, "shown": 1}


async def test_a_call_that_is_cancelled_while_redis_works_counts_once(behind, redis_server):
    counted, before = Counted(), await sold(behind)
    for wait in (0.0, 0.0005, 0.001, 0.002, 0.004):
        call = asyncio.create_task(behind.write_events([SALE, SHOWN], counted.add))
        await asyncio.sleep(wait)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
    await behind.write_events([SALE, SHOWN], counted.add)
    await until(counted, 2)
    await behind.close()
    assert counted == {"sale": 1, "shown": 1}
    assert 0.9 < await sold(behind) - before < 1.1


async def test_writers_of_one_event_at_the_same_time_count_it_once(store, behind):
    counted = Counted()
    stores = (store, behind)
    await asyncio.gather(*(stores[n % 2].write_events([SALE, SHOWN], counted.add) for n in range(20)))
    assert counted == {"sale": 1, "shown": 1}


async def test_close_returns_without_redis(redis_server, behind, lossy):
    lossy.lose(LOST["write"])
    with pytest.raises(StoreUnavailable):
        await behind.write_events([SALE])
    redis_server.kill()
    await behind.close()
    redis_server.start()
