"""UserStore, in a real Redis: events are read once and in order, and an erasure removes everything."""

import time
from dataclasses import replace
from string import ascii_uppercase, digits

import numpy as np
import pytest

from recsvc.domain.records import UserExport, UserRecord
from recsvc.domain.shop import NO_TASTE, Event, EventType, Profile, Taste
from recsvc.errors import StoreUnavailable
from recsvc.store import UserStore, keys
from recsvc.store.history import entry_of

BUNDLE = "b1"
DAY = 86_400
LESS = Taste(less_brands=frozenset({"Acme"}))


def event(event_id: str, user_id: str = "alice", timestamp: int = 1_000, item_id: str = "tea", **more) -> Event:
    return Event(event_id, user_id, item_id, EventType.PURCHASE, timestamp, **more)


async def items_of(store: UserStore, user_id: str = "alice") -> list[str]:
    record = await store.read(user_id, BUNDLE)
    assert record is not None
    return [event.item_id for event in record.events]


async def test_an_unknown_user_has_version_0(store):
    assert await store.read("nobody", BUNDLE) == UserRecord("nobody")


async def test_written_record_is_read_back(store):
    written = Event("e1", "alice", "tea", EventType.RETURN, 1_700_000_000_000_000, 2.5, 9.99, "order-1", "list-1")
    await store.write_events([written])
    embedding = np.arange(5, dtype=np.float32)
    profile = Profile("likes camping", (("hobby", "camping"), ("城市", "上海")))
    await store.set_profile("alice", profile, embedding)
    record = await store.read("alice", BUNDLE)
    hashed = f"{entry_of(written).id_hash:016x}"
    assert record.events == (Event(hashed, "alice", "tea", EventType.RETURN, 1_700_000_000_000_000, 2.5),)
    assert record.profile == profile
    np.testing.assert_array_equal(record.profile_embedding, embedding)
    assert record.user_vector is None
    assert await store.put_user_vector("alice", BUNDLE, record.version, 1, np.array([0.25, -1], np.float32))
    np.testing.assert_array_equal((await store.read("alice", BUNDLE)).user_vector, [0.25, -1])
    assert (await store.read("alice", "another bundle")).user_vector is None


async def test_event_sent_again_changes_nothing(store):
    await store.write_events([event("e1"), event("e2", timestamp=2_000)])
    before = await store.read("alice", BUNDLE)
    await store.write_events([event("e2", timestamp=9_000), event("e1"), event("e1", item_id="milk")])
    assert await store.read("alice", BUNDLE) == before


async def test_events_are_placed_by_time_and_equal_times_keep_their_order(store):
    await store.write_events([event("e1", timestamp=20, item_id="b"), event("e2", timestamp=20, item_id="c")])
    await store.write_events([event("e3", timestamp=10, item_id="a"), event("e4", timestamp=20, item_id="d")])
    assert await items_of(store) == ["a", "b", "c", "d"]


async def test_only_newest_events_are_kept_and_an_older_one_changes_nothing(store, client):
    small = UserStore(client, "shop", history_limit=3)
    await small.write_events([event(f"e{n}", timestamp=n, item_id=f"i{n}") for n in range(5)])
    before = await small.read("alice", BUNDLE)
    assert [e.item_id for e in before.events] == ["i2", "i3", "i4"]
    await small.write_events([event("e0", timestamp=0, item_id="i0")])
    assert await small.read("alice", BUNDLE) == before


async def test_hidden_item_is_kept_when_newer_events_push_out_others(store, client):
    small = UserStore(client, "shop", history_limit=3)
    await small.write_events([replace(event("e0", timestamp=0, item_id="hidden"), event_type=EventType.HIDE)])
    await small.write_events([event(f"e{n}", timestamp=n, item_id=f"i{n}") for n in range(1, 6)])
    assert await items_of(small) == ["hidden", "i3", "i4", "i5"]


async def test_write_returns_the_version_that_has_the_events(store):
    versions = await store.write_events([event("e1"), event("e2", user_id="bob")])
    assert versions == {name: (await store.read(name, BUNDLE)).version for name in ("alice", "bob")}
    again = await store.write_events([event("e1"), event("e3", user_id="bob", timestamp=2_000)])
    assert again["alice"] == versions["alice"]
    assert again["bob"] > versions["bob"]


async def test_batch_of_many_users_is_written(store):
    batch = [event(f"e{n}", user_id=f"user-{n % 300}", timestamp=n, item_id=f"i{n}") for n in range(1000)]
    await store.write_events(batch)
    for n in (0, 99, 100, 299):
        assert await items_of(store, f"user-{n}") == [f"i{m}" for m in range(n, 1000, 300)]


@pytest.mark.parametrize(
    "user_id", ["a{b}c", "}{", ":1:user", "a:b", "%7B", "购物者", "\U0001f600" * 128, " ", "a\nb", "*"]
)
async def test_any_text_is_a_valid_user_id(store, user_id):
    await store.write_events([event("e1", user_id=user_id), event("e2", user_id="someone else")])
    (kept,) = (await store.read(user_id, BUNDLE)).events
    assert kept.user_id == user_id
    erasure = await store.delete_user(user_id)
    assert (erasure.existed, erasure.log_entries) == (True, 1)
    assert len(await items_of(store, "someone else")) == 1


async def test_version_grows_with_every_change_even_across_an_erasure(store):
    versions = [0]

    async def grew() -> bool:
        versions.append((await store.read("alice", BUNDLE)).version)
        return versions[-1] > versions[-2]

    await store.write_events([event("e1")])
    assert await grew()
    await store.set_profile("alice", Profile("tea"), np.ones(2, np.float32))
    assert await grew()
    await store.set_profile("alice", Profile("tea"), np.ones(2, np.float32))
    assert not await grew()
    await store.set_profile("alice", Profile("tea"), np.zeros(2, np.float32))
    assert await grew()
    await store.delete_user("alice")
    await store.write_events([event("e1")])
    assert await grew()


async def test_removing_the_profile_leaves_the_history(store):
    await store.write_events([event("e1")])
    await store.set_profile("alice", Profile("tea"), np.ones(2, np.float32))
    await store.set_profile("alice", None, None)
    record = await store.read("alice", BUNDLE)
    assert (record.profile, record.profile_embedding, len(record.events)) == (None, None, 1)


async def test_removing_the_last_field_deletes_the_record(store, raw):
    await store.set_profile("alice", None, None)
    await store.set_profile("bob", Profile("tea"), np.ones(2, np.float32))
    await store.set_profile("bob", None, None)
    await store.update_taste("carol", LESS, NO_TASTE, 100)
    await store.update_taste("carol", NO_TASTE, LESS, 100)
    assert raw.keys() == [keys.schema("shop").encode()]


@pytest.mark.parametrize("removed", ["profile", "taste"])
@pytest.mark.parametrize("has_events", [False, True])
async def test_removing_one_part_leaves_the_others(store, removed, has_events):
    if has_events:
        await store.write_events([event("e1")])
    await store.set_profile("alice", Profile("tea"), np.ones(2, np.float32))
    await store.update_taste("alice", LESS, NO_TASTE, 100)
    if removed == "profile":
        await store.set_profile("alice", None, None)
        await store.set_profile("alice", None, None)
    else:
        await store.update_taste("alice", NO_TASTE, LESS, 100)
    left = await store.read("alice", BUNDLE)
    assert len(left.events) == has_events
    assert (left.profile is None, left.taste == LESS) == (removed == "profile", removed == "profile")


async def test_every_record_expires_and_a_write_renews_it(store, raw):
    ttl = 400 * DAY
    for event_id in ("e1", "e2"):
        await store.set_profile("alice", Profile("tea"), None)
        await store.write_events([event(event_id, user_id="bob")])
        await store.update_taste("carol", LESS, NO_TASTE, 100)
        for user_id in ("alice", "bob", "carol"):
            key = keys.user("shop", user_id)
            assert ttl - 100 < raw.ttl(key) <= ttl
            raw.expire(key, 100)


async def test_record_in_an_unknown_format_is_refused_and_not_overwritten(store, raw):
    await store.write_events([event("e1")])
    raw.hset(keys.user("shop", "alice"), "history", b"\x07from the future")
    with pytest.raises(StoreUnavailable, match="format"):
        await store.read("alice", BUNDLE)
    with pytest.raises(StoreUnavailable, match="format"):
        await store.write_events([event("e2")])
    assert raw.hget(keys.user("shop", "alice"), "history") == b"\x07from the future"


async def test_scripts_are_sent_again_after_a_flush(store, raw):
    await store.write_events([event("e1")])
    raw.script_flush()
    await store.write_events([event("e2", timestamp=2_000), event("e3", user_id="bob")])
    assert (len(await items_of(store)), len(await items_of(store, "bob"))) == (2, 1)


async def test_fifty_events_and_a_vector_fit_in_three_kilobytes(store, raw):
    now = time.time_ns() // 1000
    await store.write_events([event(f"order-{n}", timestamp=now + n, item_id=f"item-{n:05d}") for n in range(50)])
    version = (await store.read("alice", BUNDLE)).version
    assert await store.put_user_vector("alice", "0123456789abcdef", version, 1, np.ones(251, np.float32))
    assert raw.memory_usage(keys.user("shop", "alice")) <= 3 * 1024


async def test_fifty_purchases_two_hundred_views_and_a_vector_fit_in_six_kilobytes(store, raw):
    rng, start = np.random.default_rng(1), time.time_ns() // 1_000 - 400 * DAY * 1_000_000
    # As in a real shop: ids of ten letters and digits, up to three days between events.
    item_ids = ["B00" + "".join(rng.choice(list(ascii_uppercase + digits), 7)) for _ in range(250)]
    times = (start + np.cumsum(rng.integers(1, 3 * DAY * 1_000_000, 250))).tolist()
    await store.write_events(
        [
            replace(event(f"e{n}", timestamp=at, item_id=item_id), event_type=EventType(1 if n % 5 == 0 else 2))
            for n, (at, item_id) in enumerate(zip(times, item_ids, strict=True))
        ]
    )
    version = (await store.read("alice", BUNDLE)).version
    assert await store.put_user_vector("alice", "0123456789abcdef", version, 1, np.ones(251, np.float32))
    assert raw.memory_usage(keys.user("shop", "alice")) <= 6 * 1024


async def test_erasure_leaves_only_a_tombstone(store, raw):
    await store.write_events([event("e1"), event("e2", timestamp=2_000), event("e3", user_id="alice2")])
    await store.set_profile("alice", Profile("tea"), np.ones(2, np.float32))
    version = (await store.read("alice", BUNDLE)).version
    assert await store.put_user_vector("alice", BUNDLE, version, 1, np.ones(2, np.float32))
    erasure = await store.delete_user("alice")
    assert (erasure.existed, erasure.log_entries) == (True, 2)
    assert await store.read("alice", BUNDLE) == UserRecord("alice")
    assert [key for key in raw.scan_iter() if key.endswith(b":user")] == [keys.user("shop", "alice2").encode()]
    logged = [entry for n in range(keys.LOG_PARTITIONS) for entry in await store.event_log.read(n)]
    assert sorted((entry.user_id, entry.logged is None) for entry in logged) == [("alice", True), ("alice2", False)]


async def test_export_has_everything_and_each_event_once(store, client):
    assert await store.export_user("alice") == UserExport(None, (), {})
    small = UserStore(client, "shop", history_limit=3)
    sent = [event(f"e{n}", timestamp=n, item_id=f"i{n}", price=2.5, order_id="o") for n in range(5)]
    await small.write_events([*sent[:2], event("other", user_id="bob")])
    partition = keys.log_partition("alice")
    exported = await store.event_log.read(partition, count=1)
    await store.event_log.trim(partition, exported[-1].entry_id)
    await small.write_events([*sent[2:4], sent[1]])
    await store.set_profile("alice", Profile("likes tea"), np.ones(3, np.float32))
    version = (await store.read("alice", BUNDLE)).version
    await store.put_user_vector("alice", BUNDLE, version, 3, np.array([0.5, 2], np.float32))
    held = await small.export_user("alice")
    assert held.profile == Profile("likes tea")
    assert held.events == tuple(sent[1:4])  # the first was exported, and dropped from the history
    np.testing.assert_array_equal(held.user_vectors[BUNDLE], [0.5, 2])
    await store.delete_user("alice")
    assert await small.export_user("alice") == UserExport(None, (), {})


async def test_event_trimmed_from_the_log_is_exported_from_the_history(store):
    await store.write_events([event("e1", price=2.5)])
    partition = keys.log_partition("alice")
    await store.event_log.trim(partition, (await store.event_log.read(partition))[-1].entry_id)
    assert (await store.export_user("alice")).events == (event(""),)


async def test_erasing_an_unknown_user_is_no_error(store):
    erasure = await store.delete_user("nobody")
    assert (erasure.existed, erasure.log_entries) == (False, 0)
    erasure = await store.delete_user("nobody")
    assert (erasure.existed, erasure.log_entries) == (False, 0)
