"""Fields of items, in a real Redis: the latest set time holds, and a follower misses nothing."""

import itertools

import numpy as np
import pytest

from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import Item
from recsvc.errors import StoreUnavailable
from recsvc.store import CatalogueStore, catalogue
from recsvc.store.keys import catalogue_changes

NOW = 1_750_000_000_000_000


def price(value: float | None, set_time: int = NOW, item_id: str = "tea") -> ItemChange:
    return ItemChange(item_id, ItemField.PRICE, set_time, value)


async def held(store: CatalogueStore) -> set[ItemChange]:
    return {change async for page in store.read_all() for change in page}


async def test_new_catalogue_is_empty(store):
    assert await store.catalogue.last_change() == 0
    assert await store.catalogue.read_after(0) == (0, [])
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
    await store.catalogue.set([price(1.0), price(0.5, NOW - 1), price(1.0)])  # an older one, and a repeated one
    await store.catalogue.set([price(float(n), NOW + n) for n in range(1, 8)])
    seen, number = [], 0
    while True:
        number, page = await store.catalogue.read_after(number)
        if not page:
            break
        assert len(page) <= 3
        seen += page
    assert seen == [price(1.0), *(price(float(n), NOW + n) for n in range(1, 8))]
    assert number == await store.catalogue.last_change() == 8


async def test_followers_read_the_current_words(store, raw):
    def content(title: str, set_time: int) -> ItemChange:
        item = Item("tea", title, "Ahmad", ("Drinks", "Tea"), attributes=(("leaf", "black"), ("region", "de")))
        return ItemChange("tea", ItemField.CONTENT, set_time, ItemContent(item, np.arange(4, dtype=np.float32), "e1"))

    older, newer = content("Tea", NOW), content("Earl Grey 茶", NOW + 1)
    await store.catalogue.set([older, newer, price(2.0)])
    number, changes = await store.catalogue.read_after(0)
    assert (number, set(changes)) == (3, {newer, price(2.0)})
    assert await held(store.catalogue) == {newer, price(2.0)}
    np.testing.assert_array_equal(next(c for c in changes if c == newer).value.embedding, [0, 1, 2, 3])
    # The stream only says that the words changed.
    assert raw.xrange(catalogue_changes("shop"))[0][1][b"v"] == b""


async def test_follower_that_missed_entries_gets_none(store, raw):
    await store.catalogue.set([price(float(n), NOW + n) for n in range(5)])
    raw.xtrim(catalogue_changes("shop"), maxlen=2, approximate=False)
    assert await store.catalogue.read_after(2) is None
    assert (await store.catalogue.read_after(3))[0] == 5
    raw.flushall()
    assert await store.catalogue.read_after(5) is None
    await store.catalogue.set([price(1.0)])
    assert await store.catalogue.read_after(0) == (1, [price(1.0)])


async def test_thousand_items_are_read_in_pages(store):
    changes = {price(float(n), NOW, f"item {n}") for n in range(2_500)}
    await store.catalogue.set(list(changes))
    assert await held(store.catalogue) == changes


async def test_value_of_a_newer_version_is_refused(store, raw):
    await store.catalogue.set([price(1.0)])
    raw.hset("{shop:catalogue}:1:price", "tea", b"\x02later")
    with pytest.raises(StoreUnavailable, match="format"):
        await held(store.catalogue)
