"""Concurrent writers, on two stores as of two processes, lose nothing."""

import asyncio

from recsvc.domain.shop import Event, EventType
from recsvc.store import keys, open_store


def event(number: int, user_id: str) -> Event:
    return Event(f"{user_id}-{number}", user_id, f"i{number}", EventType.VIEW, 1_000 + number)


async def test_concurrent_writers_of_one_user_lose_nothing(redis_server, tmp_path):
    async with (
        open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as one,
        open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as two,
    ):
        await asyncio.gather(*((one, two)[n % 2].write_events([event(n, "alice")]) for n in range(40)))
        record = await one.read("alice", "b1")
        assert [e.item_id for e in record.events] == [f"i{n}" for n in range(40)]
        logged = await two.event_log.read(keys.log_partition("alice"))
        assert sorted(entry.logged.event_id for entry in logged) == sorted(f"alice-{n}" for n in range(40))


async def test_concurrent_batches_that_share_users_lose_nothing(redis_server, tmp_path):
    users = [f"user-{n}" for n in range(8)]
    async with (
        open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as one,
        open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as two,
    ):
        batches = [[event(n, user_id) for user_id in users[n % 4 :]] for n in range(24)]
        await asyncio.gather(*((one, two)[n % 2].write_events(batch) for n, batch in enumerate(batches)))
        for index, user_id in enumerate(users):
            expected = [f"i{n}" for n in range(24) if index >= n % 4]
            assert [e.item_id for e in (await two.read(user_id, "b1")).events] == expected


async def test_concurrent_write_and_erasure_leave_a_consistent_state(store, raw):
    writes = [store.write_events([event(n, "alice"), event(n, "bob")]) for n in range(20)]
    await asyncio.gather(*writes[:10], store.delete_user("alice"), *writes[10:], store.delete_user("alice"))
    assert len((await store.read("bob", "b1")).events) == 20
    await store.delete_user("alice")
    assert raw.keys("*:user") == [keys.user("shop", "bob").encode()]
