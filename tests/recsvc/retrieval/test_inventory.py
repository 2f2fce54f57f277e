"""What may be listed, as the shop's messages come in, in any order and any number of times."""

import random

import numpy as np

from recsvc.domain.query import ItemFilter
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.shop import Item
from recsvc.model.catalogue import Catalogue
from recsvc.retrieval.inventory import Inventory

ITEMS = [Item(f"i{n}", "Tea", price=float(n) if n % 3 else None) for n in range(9)]
EVERYTHING = ItemFilter()
ROWS = np.arange(len(ITEMS), dtype=np.int32)


def allowed(live: Inventory, item_filter: ItemFilter = EVERYTHING) -> list[int]:
    selection = live.select(item_filter)
    return ROWS.tolist() if selection is None else np.flatnonzero(selection.allowed).tolist()


def test_all_is_in_stock_until_somebody_says_otherwise():
    live = Inventory(Catalogue(ITEMS))
    assert live.select(ItemFilter()) is None
    live.apply([ItemChange("i4", ItemField.STOCK, 10, 0.0), ItemChange("i5", ItemField.DELETED, 10, 1.0)])
    assert allowed(live) == [0, 1, 2, 3, 6, 7, 8]
    assert np.flatnonzero(~live.listable(ROWS)).tolist() == [4, 5]
    live.apply([ItemChange("i4", ItemField.STOCK, 11, 3.0), ItemChange("i5", ItemField.DELETED, 11, 0.0)])
    assert live.select(ItemFilter()) is None


def test_filters_by_price_use_the_newest():
    live, cheap = Inventory(Catalogue(ITEMS)), ItemFilter(max_price=2.0)
    assert allowed(live, cheap) == [1, 2]
    live.apply([ItemChange("i0", ItemField.PRICE, 1, 1.0), ItemChange("i1", ItemField.PRICE, 1, 5.0)])
    assert allowed(live, cheap) == [0, 2]
    live.apply([ItemChange("i2", ItemField.PRICE, 1, None)])
    assert allowed(live, cheap) == [0]


def test_the_order_and_number_of_messages_do_not_matter():
    rng = random.Random(3)
    changes = [
        ItemChange(f"i{rng.randrange(11)}", field, time, float(rng.randrange(2)))  # two of the items nobody knows
        for time, field in enumerate(rng.choices([ItemField.STOCK, ItemField.DELETED], k=60))
    ]
    expected = Inventory(Catalogue(ITEMS))
    expected.apply(changes)
    for _ in range(20):
        live, sent = Inventory(Catalogue(ITEMS)), rng.choices(changes, k=30) + rng.sample(changes, len(changes))
        for start in range(0, len(sent), 7):
            live.apply(sent[start : start + 7])
            live.select(ItemFilter())
        assert allowed(live) == allowed(expected)
        assert live.listable(ROWS).tolist() == expected.listable(ROWS).tolist()
