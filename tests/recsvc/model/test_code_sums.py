"""Sums over brands and paths that follow the items one by one are those of all items at once."""

import random

import numpy as np

from recsvc.domain.shop import Item
from recsvc.model.catalogue import Catalogue
from recsvc.model.code_sums import CodeSums

PATHS = [(), ("A",), ("A", "B"), ("A", "B", "C"), ("D", "E")]
BRANDS = ["", "Alder", "Birch", "Cedar"]


def item(rng: random.Random, number: int) -> Item:
    return Item(f"i{number}", f"title {rng.random()}", brand=rng.choice(BRANDS), categories=rng.choice(PATHS))


def test_sums_that_follow_new_and_changed_items_are_those_of_all_items() -> None:
    rng = random.Random(2)
    catalogue = Catalogue([item(rng, number) for number in range(30)])
    purchases = np.array([rng.randint(0, 9) for _ in range(30)], np.int32)
    sums = CodeSums.of(catalogue, purchases)
    for step in range(40):
        n = len(catalogue)
        items = [item(rng, rng.randrange(n)), item(rng, n), item(rng, n + 1), item(rng, n)]
        if step == 20:
            items.append(Item("new", "", brand="Dogwood", categories=("D", "E", "F")))
        catalogue = catalogue.with_items(items)
        purchases = np.append(purchases, np.zeros(len(catalogue) - n, np.int32))
        rows = catalogue.rows(each.item_id for each in items)
        before, sums = sums, sums.with_items(catalogue, purchases, rows)
        fresh = CodeSums.of(catalogue, purchases)
        for name in ("items_of_path", "purchases_of_path", "purchases_of_brand", "total"):
            np.testing.assert_array_equal(getattr(sums, name), getattr(fresh, name), name)
        np.testing.assert_array_equal(
            before.items_of_path, CodeSums.of(before.catalogue, before.purchases).items_of_path
        )
    assert sums.items_of_path.sum() < len(catalogue)
    assert sums.purchases_of_brand[catalogue.brands.code("Alder")] > 0
