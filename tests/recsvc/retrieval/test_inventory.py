"""The inventory, with the shop's changes applied in any order and any number of times."""

import random
from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.query import ItemFilter
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import Item
from recsvc.model.catalogue import Catalogue
from recsvc.retrieval import inventory as inventory_module
from recsvc.retrieval.inventory import Inventory, Table

ITEMS = [Item(f"i{n}", "Tea", price=float(n) if n % 3 else None) for n in range(9)]
EVERYTHING = ItemFilter()
ROWS = np.arange(len(ITEMS), dtype=np.int32)


def allowed(inventory: Inventory, item_filter: ItemFilter = EVERYTHING) -> list[int]:
    selection = inventory.select(item_filter)
    return ROWS.tolist() if selection is None else np.flatnonzero(selection.allowed).tolist()


def test_items_are_in_stock_until_a_change_says_otherwise():
    inventory = Inventory(Catalogue(ITEMS))
    assert inventory.select(ItemFilter()) is None
    inventory.apply([ItemChange("i4", ItemField.STOCK, 10, 0.0), ItemChange("i5", ItemField.DELETED, 10, 1.0)])
    assert allowed(inventory) == [0, 1, 2, 3, 6, 7, 8]
    assert np.flatnonzero(~inventory.listable(ROWS)).tolist() == [4, 5]
    inventory.apply([ItemChange("i4", ItemField.STOCK, 11, 3.0), ItemChange("i5", ItemField.DELETED, 11, 0.0)])
    assert inventory.select(ItemFilter()) is None


def test_price_filter_uses_the_newest_price():
    inventory, cheap = Inventory(Catalogue(ITEMS)), ItemFilter(max_price=2.0)
    assert allowed(inventory, cheap) == [1, 2]
    inventory.apply([ItemChange("i0", ItemField.PRICE, 1, 1.0), ItemChange("i1", ItemField.PRICE, 1, 5.0)])
    assert allowed(inventory, cheap) == [0, 2]
    inventory.apply([ItemChange("i2", ItemField.PRICE, 1, None)])
    assert allowed(inventory, cheap) == [0]


def test_order_and_repetition_of_changes_do_not_matter():
    rng = random.Random(3)
    changes = [
        ItemChange(f"i{rng.randrange(11)}", field, time, float(rng.randrange(2)))  # two of the items are unknown
        for time, field in enumerate(rng.choices([ItemField.STOCK, ItemField.DELETED], k=60))
    ]
    expected = Inventory(Catalogue(ITEMS))
    expected.apply(changes)
    for _ in range(20):
        inventory, sent = Inventory(Catalogue(ITEMS)), rng.choices(changes, k=30) + rng.sample(changes, len(changes))
        for start in range(0, len(sent), 7):
            inventory.apply(sent[start : start + 7])
            inventory.select(ItemFilter())
        assert allowed(inventory) == allowed(expected)
        assert inventory.listable(ROWS).tolist() == expected.listable(ROWS).tolist()


def test_changes_of_unknown_items_apply_when_the_catalogue_has_them():
    before = Inventory(Catalogue(ITEMS[:4]))
    before.apply(
        [
            ItemChange("i1", ItemField.STOCK, 1, 0.0),
            ItemChange("i4", ItemField.STOCK, 1, 0.0),
            ItemChange("i5", ItemField.PRICE, 1, 99.0),
        ]
    )
    after = before.with_catalogue(Catalogue(ITEMS))
    assert allowed(after) == [0, 2, 3, 5, 6, 7, 8]
    assert allowed(after, ItemFilter(min_price=9.0)) == [5]
    after.apply([ItemChange("i2", ItemField.STOCK, 1, 0.0)])
    assert after.counts == {ItemField.STOCK: 3, ItemField.PRICE: 1}
    assert before.counts == {ItemField.STOCK: 2, ItemField.PRICE: 1}
    # A request that still reads the earlier one sees what is sold out since.
    assert before.listable(ROWS[:4]).tolist() == [True, False, False, True]


def test_price_and_words_older_than_the_table_do_not_beat_it():
    inventory, cheap = Inventory(Catalogue(ITEMS), Table(len(ITEMS), 100)), ItemFilter(max_price=2.0)
    content = ItemContent(Item("i4", "old words"), np.zeros(4, np.float32), "encoder")
    old = [ItemChange("i4", ItemField.PRICE, 99, 1.0), ItemChange("i4", ItemField.CONTENT, 99, content)]
    assert [inventory.is_news(change) for change in old] == [False, False]
    inventory.apply(old)
    assert allowed(inventory, cheap) == [1, 2]
    inventory.apply([replace(old[0], set_time=100)])
    assert allowed(inventory, cheap) == [1, 2, 4]
    assert inventory.is_news(replace(old[1], set_time=100))


def test_what_the_table_does_not_say_is_as_it_was_set_however_long_ago():
    items = [*ITEMS[:3], Item("unpriced", "Lamp")]
    inventory, cheap = Inventory(Catalogue(items), Table(len(items), 100)), ItemFilter(max_price=2.0)
    inventory.apply(
        [
            ItemChange("i1", ItemField.STOCK, 1, 0.0),
            ItemChange("i2", ItemField.DELETED, 1, 1.0),
            ItemChange("unpriced", ItemField.PRICE, 1, 1.5),
            ItemChange("later", ItemField.PRICE, 1, 1.0),
        ]
    )
    assert np.flatnonzero(~inventory.listable(np.arange(4, dtype=np.int32))).tolist() == [1, 2]
    assert allowed_of(inventory, cheap) == [3]
    # An item that came after the training is in no table.
    after = inventory.with_catalogue(Catalogue(items).with_items([Item("later", "Rug")]))
    assert allowed_of(after, cheap) == [3, 4]
    content = ItemContent(Item("later", "Rug, red"), np.zeros(4, np.float32), "encoder")
    assert after.is_news(ItemChange("later", ItemField.CONTENT, 1, content))


def test_a_table_of_unknown_age_is_beaten_by_every_change():
    inventory = Inventory(Catalogue(ITEMS), Table(len(ITEMS)))
    inventory.apply([ItemChange("i0", ItemField.PRICE, 1, 1.0)])
    assert allowed(inventory, ItemFilter(max_price=2.0)) == [0, 1, 2]


def allowed_of(inventory: Inventory, item_filter: ItemFilter) -> list[int]:
    selection = inventory.select(item_filter)
    assert selection is not None
    return np.flatnonzero(selection.allowed).tolist()


def test_a_large_shop_keeps_as_many_selections_as_their_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_module, "KEPT_SELECTION_BYTES", 3 * len(ITEMS))
    inventory = Inventory(Catalogue(ITEMS))
    filters = [ItemFilter(max_price=price) for price in (1.0, 2.0, 3.0, 4.0)]
    kept = [inventory.select(item_filter) for item_filter in filters]
    assert inventory.select(filters[3]) is kept[3]
    assert inventory.select(filters[1]) is kept[1]
    assert inventory.select(filters[0]) is not kept[0]
    assert allowed(inventory, filters[0]) == [1]


def test_the_items_that_may_be_listed_are_counted() -> None:
    inventory = Inventory(Catalogue(ITEMS))
    inventory.apply([ItemChange("i4", ItemField.STOCK, 10, 0.0), ItemChange("i5", ItemField.DELETED, 10, 1.0)])
    assert inventory.listable_items == len(ITEMS) - 2
