"""Checks filters as the contract states them, one item at a time, and makes random filters.

The random filters match many items, few or none.
"""

import random
from collections.abc import Iterator, Sequence

from recsvc.domain.query import AttributeFilter, ItemFilter
from recsvc.domain.shop import Item


def random_filter(rng: random.Random, items: Sequence[Item]) -> ItemFilter:
    """Returns a filter made from attributes of two random items."""
    item, other = rng.sample(items, 2)
    low, high = sorted(rng.choice(items).price or 0.0 for _ in range(2))
    categories = {one.categories[: rng.randint(1, len(one.categories))] for one in (item, other) if one.categories}
    return ItemFilter(
        frozenset(categories) if rng.random() < 0.6 else frozenset(),
        frozenset({item.brand, other.brand, "no such brand"} - {""}) if rng.random() < 0.4 else frozenset(),
        low if rng.random() < 0.4 else None,
        high if rng.random() < 0.4 else None,
        frozenset(_random_attributes(rng, item, other)),
        frozenset(rng.choice(items).item_id for _ in range(30)) if rng.random() < 0.1 else frozenset(),
    )


def _random_attributes(rng: random.Random, item: Item, other: Item) -> Iterator[AttributeFilter]:
    for name, value in item.attributes:
        if rng.random() < 0.3:
            others = {v for n, v in other.attributes if n == name}
            yield AttributeFilter(name, frozenset({value, "no such value", *others}), rng.random() < 0.5)


def passes(item: Item, item_filter: ItemFilter) -> bool:
    """Returns whether an item matches a filter."""
    path, low, high = item.categories, item_filter.min_price, item_filter.max_price
    return (
        (not item_filter.categories or any(path[: len(c)] == c for c in item_filter.categories))
        and (not item_filter.brands or item.brand in item_filter.brands)
        and (low is None or (item.price is not None and item.price >= low))
        and (high is None or (item.price is not None and item.price <= high))
        and all(has_any(item, attribute) != attribute.exclude for attribute in item_filter.attributes)
        and (not item_filter.item_ids or item.item_id in item_filter.item_ids)
    )


def has_any(item: Item, attribute: AttributeFilter) -> bool:
    """Returns whether an item has any of the values of an attribute."""
    return any((attribute.name, value) in item.attributes for value in attribute.values)
