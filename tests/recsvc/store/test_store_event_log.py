"""The log has every acknowledged event with all fields, until it is exported or its user is erased."""

import pytest

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.store import EventLog, UserStore, keys

ALICE = keys.log_partition("alice")


def event(number: int, user_id: str = "alice") -> Event:
    return Event(
        f"{user_id}-{number}", user_id, f"i{number}", EventType.PURCHASE, number, 0.1, 9.99, "order", "recommendation"
    )


async def all_of(log: EventLog, partition: int = ALICE, page: int = 1000) -> list[Event | ServedList | None]:
    read: list[Event | ServedList | None] = []
    after = "0-0"
    while entries := await log.read(partition, after, page):
        read += [entry.logged for entry in entries]
        after = entries[-1].entry_id
    return read


async def test_events_are_logged_completely_and_read_in_pages(store):
    written = [event(n) for n in range(25)]
    await store.write_events(written)
    assert await all_of(store.event_log, page=7) == written


async def test_event_of_the_history_is_not_logged_again(store):
    await store.write_events([event(1), event(2)])
    await store.write_events([event(2), event(1), event(3), event(3)])
    assert await all_of(store.event_log) == [event(1), event(2), event(3)]


async def test_event_too_old_for_the_history_is_logged(store, client):
    small = UserStore(client, "shop", history_limit=1)
    await small.write_events([event(5)])
    await small.write_events([event(4)])
    assert await all_of(store.event_log) == [event(5), event(4)]


async def test_full_log_refuses_events_until_it_is_trimmed(store, client):
    small = UserStore(client, "shop", event_log_limit=3)
    await small.write_events([event(1), event(2)])
    before = await small.read("alice", "b1")
    with pytest.raises(StoreUnavailable, match="log is full"):
        await small.write_events([event(3), event(4)])
    assert await small.read("alice", "b1") == before
    assert await all_of(small.event_log) == [event(1), event(2)]
    exported = await small.event_log.read(ALICE, count=1)
    assert await small.event_log.trim(ALICE, through=exported[-1].entry_id) == 1
    await small.write_events([event(3), event(4)])
    assert await all_of(small.event_log) == [event(2), event(3), event(4)]


async def test_erasure_is_accepted_by_a_full_log(store, client):
    small = UserStore(client, "shop", event_log_limit=2)
    await small.write_events([event(1), event(2)])
    erasure = await small.delete_user("alice")
    assert (erasure.existed, erasure.log_entries) == (True, 2)


async def test_erasure_reads_the_whole_partition_and_keeps_other_users(store):
    neighbour = next(f"user-{n}" for n in range(1000) if keys.log_partition(f"user-{n}") == ALICE)
    batch = [event(n, user_id) for n in range(1250) for user_id in ("alice", neighbour)]
    for start in range(0, len(batch), 1000):
        await store.write_events(batch[start : start + 1000])
    erasure = await store.delete_user("alice")
    assert (erasure.existed, erasure.log_entries) == (True, 1250)
    assert await all_of(store.event_log) == [*(event(n, neighbour) for n in range(1250)), None]


async def test_repeated_erasures_leave_one_tombstone(store):
    for number in range(3):
        await store.write_events([event(number)])
        await store.delete_user("alice")
    assert await all_of(store.event_log) == [None]


async def test_event_that_redis_refuses_to_log_is_in_no_history_and_counts_when_sent_again(store, client):
    await client.set(keys.event_log("shop", ALICE), "no stream")
    with pytest.raises(StoreUnavailable):
        await store.write_events([event(1)])
    assert (await store.read("alice", "b1")).events == ()
    await client.delete(keys.event_log("shop", ALICE))
    counted = []
    await store.write_events([event(1)], counted.extend)
    assert counted == await all_of(store.event_log) == [event(1)]
    assert len((await store.read("alice", "b1")).events) == 1
