"""Fields of items, in a real Redis: the latest set time holds, and a follower misses nothing."""

import itertools

import numpy as np
import structlog.testing

from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import Item
from recsvc.store import CatalogueStore, Place, catalogue, packing
from recsvc.store.keys import catalogue_changes

NOW = 1_750_000_000_000_000


def price(value: float | None, set_time: int = NOW, item_id: str = "tea") -> ItemChange:
    return ItemChange(item_id, ItemField.PRICE, set_time, value)


async def held(store: CatalogueStore) -> set[ItemChange]:
    return {change async for page in store.read_all() for change in page}


async def followed(store: CatalogueStore, place: Place) -> list[ItemChange]:
    """All changes after a place."""
    seen: list[ItemChange] = []
    while page := await store.read_after(place):
        place, changes = page
        if not changes:
            return seen
        seen += changes
    raise AssertionError("the place is no longer there")


async def test_new_catalogue_is_empty(store):
    assert await store.catalogue.last_place() == Place()
    assert await store.catalogue.read_after(Place()) == (Place(), [])
    assert await held(store.catalogue) == set()


async def test_value_with_the_latest_set_time_holds_in_any_order(store):
    changes = [price(1.0, NOW), price(2.0, NOW + 1), price(3.0, NOW + 2)]
    for n, order in enumerate(itertools.permutations(changes)):
        await store.catalogue.set([ItemChange(f"item {n}", c.field, c.set_time, c.value) for c in order])
    assert {(change.set_time, change.value) for change in await held(store.catalogue)} == {(NOW + 2, 3.0)}


async def test_fields_are_independent_and_a_price_may_become_unknown(store):
    stock = ItemChange("tea", ItemField.STOCK, NOW - 5, 0.0)
    await store.catalogue.set([price(1.5), stock])
    await store.catalogue.set([price(None, NOW + 1)])
    assert await held(store.catalogue) == {price(None, NOW + 1), stock}


async def test_followers_read_effective_changes_in_order(store, monkeypatch):
    monkeypatch.setattr(catalogue, "_PAGE_SIZE", 3)
    await store.catalogue.set([price(0.0, NOW - 2)])
    place = await store.catalogue.last_place()
    await store.catalogue.set([price(1.0), price(0.5, NOW - 1), price(1.0)])  # an older one, and a repeated one
    await store.catalogue.set([price(float(n), NOW + n) for n in range(1, 8)])
    seen = []
    while True:
        place, page = await store.catalogue.read_after(place)
        if not page:
            break
        assert len(page) <= 3
        seen += page
    assert seen == [price(1.0), *(price(float(n), NOW + n) for n in range(1, 8))]
    assert place == await store.catalogue.last_place()


async def test_without_a_set_time_the_value_that_is_written_last_holds_and_followers_learn_its_time(store):
    before = await store.event_log.time()
    await store.catalogue.set([price(1.0)])
    place = await store.catalogue.last_place()
    for value in (2.0, 3.0):
        await store.catalogue.set([price(value, 0)])
    await store.catalogue.set([price(4.0, 0), price(5.0, 0)])  # the values of one batch keep their order
    seen = await followed(store.catalogue, place)
    assert [change.value for change in seen] == [2.0, 3.0, 4.0, 5.0]
    times = [change.set_time for change in seen]
    assert times == sorted(set(times))
    assert before <= times[0] <= times[-1] <= await store.event_log.time()
    assert await held(store.catalogue) == {seen[-1]}


async def test_set_time_ahead_of_the_clock_of_redis_counts_as_now(store):
    await store.catalogue.set([price(1.0, await store.event_log.time() + 50_000_000)])
    await store.catalogue.set([price(2.0, 0)])
    (change,) = await held(store.catalogue)
    assert change.value == 2.0
    await store.catalogue.set([price(3.0, await store.event_log.time())])
    assert {change.value for change in await held(store.catalogue)} == {3.0}


async def test_value_from_a_clock_that_was_ahead_does_not_block_the_next_one(store, raw):
    ahead = await store.event_log.time() + 3_000_000_000
    raw.hset("{shop:catalogue}:1:price", "tea", packing.pack_item_change(price(1.0, ahead)))
    await store.catalogue.set([price(2.0, 0)])
    assert await held(store.catalogue) == {price(2.0, ahead + 1)}


async def test_restored_values_keep_their_times_and_replace_older_ones_only(store):
    ahead = await store.event_log.time() + 3_000_000_000  # the clock of the Redis that was lost
    await store.catalogue.set([price(1.0, NOW, "a"), price(1.0, NOW, "b"), price(1.0, NOW + 1, "c")])
    lost = [price(2.0, NOW + 1, "a"), price(2.0, NOW, "b"), price(2.0, NOW, "c"), price(2.0, ahead, "d")]
    assert await store.catalogue.restore(lost) == 2
    assert await held(store.catalogue) == {
        price(2.0, NOW + 1, "a"), price(1.0, NOW, "b"), price(1.0, NOW + 1, "c"), price(2.0, ahead, "d")
    }  # fmt: skip


async def test_what_was_written_is_known_until_it_was_followed(store):
    place = await store.catalogue.last_place()
    await store.catalogue.set([price(1.0), price(0.5, NOW - 1), price(2.0, NOW, "coffee")])
    assert set(store.catalogue.unfollowed.values()) == {price(1.0), price(2.0, NOW, "coffee")}
    store.catalogue.followed([price(1.0), price(1.0, NOW - 5, "coffee")])
    assert set(store.catalogue.unfollowed.values()) == {price(2.0, NOW, "coffee")}
    assert place == Place()


async def test_followers_read_the_current_words(store, raw):
    def content(title: str, set_time: int) -> ItemChange:
        item = Item("tea", title, "Ahmad", ("Drinks", "Tea"), attributes=(("leaf", "black"), ("region", "de")))
        return ItemChange("tea", ItemField.CONTENT, set_time, ItemContent(item, np.arange(4, dtype=np.float32), "e1"))

    older, newer = content("Tea", NOW), content("Earl Grey 茶", NOW + 1)
    await store.catalogue.set([price(1.0, NOW - 1)])
    place = await store.catalogue.last_place()
    await store.catalogue.set([older, newer, price(2.0)])
    _, changes = await store.catalogue.read_after(place)
    assert set(changes) == {newer, price(2.0)}
    assert await held(store.catalogue) == {newer, price(2.0)}
    np.testing.assert_array_equal(next(c for c in changes if c == newer).value.embedding, [0, 1, 2, 3])
    # The stream only says that the words changed.
    assert raw.xrange(catalogue_changes("shop"))[1][1][b"v"] == b""


async def test_follower_that_missed_entries_gets_none(store, raw):
    places = []
    for n in range(5):
        await store.catalogue.set([price(float(n), NOW + n)])
        places.append(await store.catalogue.last_place())
    raw.xtrim(catalogue_changes("shop"), maxlen=2, approximate=False)
    assert await store.catalogue.read_after(places[2]) is None
    assert await store.catalogue.read_after(places[3]) == (places[4], [price(4.0, NOW + 4)])
    raw.flushall()
    assert await store.catalogue.read_after(places[4]) is None
    await store.catalogue.set([price(1.0)])
    assert await store.catalogue.read_after(Place()) is None


async def test_another_entry_under_the_id_of_the_last_one_is_no_place(store, raw):
    await store.catalogue.set([price(1.0)])
    place = await store.catalogue.last_place()
    raw.flushall()
    raw.xadd(catalogue_changes("shop"), dict(place.fields) | {b"n": b"another"}, id=place.entry_id)
    raw.xadd(catalogue_changes("shop"), {"f": "price"})
    assert await store.catalogue.read_after(place) is None


async def test_entries_numbered_by_an_earlier_version_are_followed(store, raw):
    def numbered(number: int) -> Place:
        fields = {b"f": b"price", b"i": b"tea", b"v": packing.pack_item_change(price(float(number), NOW + number))}
        raw.xadd(catalogue_changes("shop"), fields, id=f"{number}-0")
        return Place(f"{number}-0", fields)

    place = numbered(1)
    last = numbered(2)
    assert await store.catalogue.read_after(place) == (last, [price(2.0, NOW + 2)])
    await store.catalogue.set([price(3.0, NOW + 3)])
    assert await followed(store.catalogue, last) == [price(3.0, NOW + 3)]


async def test_thousand_items_are_read_in_pages(store):
    changes = {price(float(n), NOW, f"item {n}") for n in range(2_500)}
    await store.catalogue.set(list(changes))
    assert await held(store.catalogue) == changes


async def test_values_that_this_version_cannot_read_are_skipped(store, raw):
    await store.catalogue.set([price(1.0)])
    place = await store.catalogue.last_place()
    raw.hset("{shop:catalogue}:1:price", mapping={"later": b"\x02later", b"\xff": b"", "cut": b"\x01"})
    for fields in (
        {"x": "y"},
        {"f": "colour", "i": "tea", "v": "red"},
        {"f": "price", "i": "tea", "v": b"\x02later"},
        {"f": "price", "i": b"\xff", "v": packing.pack_item_change(price(3.0))},
    ):
        raw.xadd(catalogue_changes("shop"), fields)
    await store.catalogue.set([price(2.0, NOW + 1)])
    with structlog.testing.capture_logs() as logs:
        assert await held(store.catalogue) == {price(2.0, NOW + 1)}
        assert await followed(store.catalogue, place) == [price(2.0, NOW + 1)]
    assert sum(line["count"] for line in logs) == 3 + 4


async def test_damaged_value_can_be_replaced(store, raw):
    raw.hset("{shop:catalogue}:1:price", "tea", b"\x01")
    await store.catalogue.set([price(1.0)])
    assert await held(store.catalogue) == {price(1.0)}


async def test_sizes_are_those_of_the_hashes(store, raw):
    await store.catalogue.set([price(1.0, NOW, "a"), price(1.0, NOW, "b"), ItemChange("a", ItemField.STOCK, NOW, 0.0)])
    sizes = {ItemField.PRICE: 2, ItemField.STOCK: 1, ItemField.DELETED: 0, ItemField.CONTENT: 0}
    assert await store.catalogue.sizes() == sizes
