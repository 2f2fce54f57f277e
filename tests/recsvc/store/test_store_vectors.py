"""A user vector is stored only in the version of the record that it was computed from."""

from typing import cast

import numpy as np
import redis

from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Event, EventType
from recsvc.store import UserStore, keys

VECTOR = np.array([1, 2, 3], np.float32)


async def written(store: UserStore, event_id: str) -> int:
    await store.write_events([Event(event_id, "alice", "tea", EventType.PURCHASE, 1_000)])
    record = await store.read("alice", "b1")
    assert record is not None
    return record.version


def bundles_kept(raw: redis.Redis) -> list[bytes]:
    fields = cast("list[bytes]", raw.hkeys(keys.user("shop", "alice")))
    return sorted(field for field in fields if field.startswith(b"vector:"))


async def test_vector_of_an_older_version_is_refused(store):
    old = await written(store, "e1")
    new = await written(store, "e2")
    assert await store.put_user_vector("alice", "b1", new, 1, VECTOR)
    assert not await store.put_user_vector("alice", "b1", old, 1, 5 * VECTOR)
    np.testing.assert_array_equal((await store.read("alice", "b1")).user_vector, VECTOR)


async def test_write_makes_the_vector_stale(store):
    assert await store.put_user_vector("alice", "b1", await written(store, "e1"), 1, VECTOR)
    await written(store, "e2")
    assert (await store.read("alice", "b1")).user_vector is None


async def test_late_vector_does_not_bring_back_an_erased_user(store, raw):
    version = await written(store, "e1")
    await store.delete_user("alice")
    assert not await store.put_user_vector("alice", "b1", version, 1, VECTOR)
    assert await store.read("alice", "b1") == UserRecord("alice")
    assert not raw.exists(keys.user("shop", "alice"))


async def test_vector_from_before_an_erasure_is_refused(store):
    version = await written(store, "e1")
    await store.delete_user("alice")
    await written(store, "e1")
    assert not await store.put_user_vector("alice", "b1", version, 1, VECTOR)


async def test_vector_of_an_unknown_user_is_refused(store, raw):
    assert not await store.put_user_vector("alice", "b1", 0, 1, VECTOR)
    assert raw.keys("*alice*") == []


async def test_the_vectors_of_the_two_bundles_that_wrote_last_are_kept(store, raw):
    version = await written(store, "e1")
    for bundle_id in ("b1", "b2", "b3"):
        assert await store.put_user_vector("alice", bundle_id, version, 1, VECTOR)
    assert bundles_kept(raw) == [b"vector:b2", b"vector:b3"]
    assert await store.put_user_vector("alice", "b2", version, 1, VECTOR)
    assert await store.put_user_vector("alice", "b4", version, 1, VECTOR)
    assert bundles_kept(raw) == [b"vector:b2", b"vector:b4"]


async def test_stale_vectors_of_other_bundles_are_deleted(store, raw):
    assert await store.put_user_vector("alice", "b1", await written(store, "e1"), 1, VECTOR)
    assert await store.put_user_vector("alice", "b2", await written(store, "e2"), 1, VECTOR)
    assert bundles_kept(raw) == [b"vector:b2"]


async def test_unreadable_vector_is_replaced(store, raw):
    version = await written(store, "e1")
    raw.hset(keys.user("shop", "alice"), mapping={"vector:b1": b"?", "vector:b2": b""})
    assert (await store.read("alice", "b1")).user_vector is None
    assert await store.put_user_vector("alice", "b1", version, 1, VECTOR)
    assert bundles_kept(raw) == [b"vector:b1"]


async def test_vector_does_not_extend_the_expiry_of_the_record(store, raw):
    version = await written(store, "e1")
    raw.expire(keys.user("shop", "alice"), 100)
    assert await store.put_user_vector("alice", "b1", version, 1, VECTOR)
    assert raw.ttl(keys.user("shop", "alice")) <= 100
