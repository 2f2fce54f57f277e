"""The lists that users were shown: the last of each user, for a while, and none of an erased user."""

import asyncio
from dataclasses import replace

from recsvc.domain.records import ServedList
from recsvc.store import hash_of
from recsvc.store.lists import GATHER_SECONDS, KEPT_LISTS, KEPT_SECONDS

SHOWN = ServedList(
    recommendation_id="home.a.b1.x",
    user_id="ann",
    time=1_750_000_000_000_000,
    version=7,
    placement="home",
    arm="a",
    propensity=0.5,
    bundle_id="b1",
    surface="cart",
    shown=10,
    items=(("茶", 0.5),),
)


async def test_last_lists_are_read_newest_first_and_expire(store, raw):
    shown = [replace(SHOWN, recommendation_id=f"r{n}") for n in range(KEPT_LISTS + 5)]
    for served in shown:
        store.lists.keep(served)
    store.lists.keep(replace(SHOWN, user_id="bob", items=()))
    await store.lists.close()
    assert await store.lists.of_user("ann") == shown[:4:-1]
    assert await store.lists.of_user("bob") == [replace(SHOWN, user_id="bob", items=())]
    assert await store.lists.of_user("nobody") == []
    [key] = [key for key in raw.scan_iter("*lists") if b"ann" in key]
    assert 0 < raw.ttl(key) <= KEPT_SECONDS


async def test_search_keeps_its_query_and_goes_to_the_log_where_other_lists_do_not(store):
    plain = replace(SHOWN, propensity=1.0)
    searched = replace(plain, query="登山靴", corrected_query="登山鞋", items=(), candidates=())
    for served in (plain, searched):
        store.lists.keep(served)
    await store.lists.close()
    assert await store.lists.of_user("ann") == [searched, plain]
    assert (await store.event_log.of_user("ann"))[1] == [searched]


async def test_list_in_flight_does_not_bring_back_an_erased_user(store):
    store.lists.keep(SHOWN)  # waits in memory
    await store.delete_user("ann")
    await store.lists.forget({hash_of("ann")})
    await store.lists.close()
    assert await store.lists.of_user("ann") == []
    # Written after the erasure, before this process learned of it.
    await store.delete_user("ann")
    store.lists.keep(SHOWN)
    store.lists.keep(replace(SHOWN, user_id="bob"))
    await asyncio.sleep(2 * GATHER_SECONDS)
    await store.lists.close()
    await store.lists.forget({hash_of("ann")})
    assert await store.lists.of_user("ann") == []
    assert len(await store.lists.of_user("bob")) == 1
