"""What a history holds and in which order, in a real Redis: rooms of their own, and times by Redis's clock."""

import time
from dataclasses import replace

from recsvc.domain.shop import UNDATED, Event, EventType
from recsvc.store import UserStore, keys, packing
from recsvc.store.history import entry_of

BUNDLE = "b1"


def event(event_id: str, timestamp: int = UNDATED, item_id: str = "tea", **more) -> Event:
    return Event(event_id, "alice", item_id, EventType.PURCHASE, timestamp, **more)


async def held(store: UserStore) -> tuple[Event, ...]:
    record = await store.read("alice", BUNDLE)
    assert record is not None
    return record.events


async def items_of(store: UserStore) -> list[str]:
    return [event.item_id for event in await held(store)]


async def test_purchases_returns_and_hides_outlast_ten_thousand_views(store):
    said = (EventType.PURCHASE, EventType.RETURN, EventType.HIDE)
    await store.write_events(
        [
            replace(event(f"{kind}-{n}", timestamp=n, item_id=f"i{n}"), event_type=kind)
            for kind in said
            for n in range(300)
        ]
    )
    for start in range(1_000, 11_000, 1_000):
        times = range(start, start + 1_000)
        await store.write_events([replace(event(f"v{n}", timestamp=n), event_type=EventType.VIEW) for n in times])
    events = await held(store)
    for kind in said:
        assert [e.timestamp for e in events if e.event_type is kind] == list(range(44, 300))
    assert [e.timestamp for e in events if e.event_type is EventType.VIEW] == list(range(10_744, 11_000))


async def redis_time(store: UserStore) -> int:
    return await store.event_log.time()


async def timed(store: UserStore) -> dict[str, int]:
    """By item_id, the times in alice's history."""
    return {e.item_id: e.timestamp for e in await held(store)}


async def test_event_without_a_time_happens_when_redis_gets_it_in_log_and_history(store, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 0)  # the clock of this server is wrong
    before = await redis_time(store)
    await store.write_events([event("e1", timestamp=UNDATED)])
    assert before < (await timed(store))["tea"] < await redis_time(store)
    (logged,) = await store.event_log.read(keys.log_partition("alice"))
    assert logged.logged.timestamp == (await timed(store))["tea"]


async def test_a_time_ahead_of_redis_is_bounded_in_log_and_history(store):
    ahead = await redis_time(store) + 13 * 3_600_000_000
    await store.write_events([event("e1", timestamp=ahead)])
    assert (await timed(store))["tea"] < await redis_time(store)
    (logged,) = await store.event_log.read(keys.log_partition("alice"))
    assert logged.logged.timestamp == (await timed(store))["tea"]


async def test_undated_events_stay_in_the_order_in_which_they_were_written(store):
    for n in range(5):
        await store.write_events([event(f"{n}-{m}", timestamp=UNDATED, item_id=f"{n}-{m}") for m in range(3)])
    assert await items_of(store) == [f"{n}-{m}" for n in range(5) for m in range(3)]


async def test_undated_event_comes_after_those_ahead_in_its_batch_which_keep_their_order(store):
    ahead = await redis_time(store) + 3_600_000_000
    late, early = event("e1", timestamp=ahead + 9, item_id="late"), event("e2", timestamp=ahead, item_id="early")
    await store.write_events([event("e3", timestamp=UNDATED, item_id="now"), late, early])
    assert await items_of(store) == ["early", "late", "now"]


async def test_undated_event_comes_after_stored_ones_that_are_ahead(store, raw):
    # As an earlier version stored them, or as before a failover to a Redis whose clock is slower.
    ahead = await redis_time(store) + 13 * 3_600_000_000
    stored = [event("e1", timestamp=1_000, item_id="old"), event("e2", timestamp=ahead, item_id="ahead")]
    await store.write_events(stored)
    raw.hset(keys.user("shop", "alice"), "history", packing.pack_history(list(map(entry_of, stored))))
    await store.write_events([event("e3", timestamp=UNDATED, item_id="now")])
    assert await items_of(store) == ["old", "ahead", "now"]
    assert max((await timed(store)).values()) < await redis_time(store)


async def test_servers_whose_clocks_disagree_agree_on_the_order(store, monkeypatch):
    # A hide at a server whose clock is slow comes after the purchase at a server whose clock is fast.
    hide = replace(event("e2", item_id="hide"), event_type=EventType.HIDE)
    for sent, shift in ((event("e1", item_id="buy"), 3), (hide, -3)):
        clock = time.time_ns() + shift * 10**9
        monkeypatch.setattr(time, "time_ns", lambda clock=clock: clock)
        await store.write_events([sent])
        monkeypatch.undo()
    assert await items_of(store) == ["buy", "hide"]


async def test_history_of_the_uncompressed_format_is_read_and_written_in_the_new_one(store, raw):
    key, views = keys.user("shop", "alice"), [replace(event(f"e{n}", n), event_type=EventType.VIEW) for n in range(100)]
    await store.write_events(views[:60])
    assert raw.hget(key, "history")[0] == packing.ONE_EACH
    await store.write_events(views[60:])
    assert raw.hget(key, "history")[0] == packing.LONG
    version = (await store.read("alice", BUNDLE)).version
    await store.write_events(views)
    again = await store.read("alice", BUNDLE)
    assert (again.version, [e.timestamp for e in again.events]) == (version, list(range(100)))
