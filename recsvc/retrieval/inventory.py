"""What of a bundle's catalogue may be listed now, and which of it a caller's filter lets pass."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.query import ItemFilter
from recsvc.domain.records import ItemChange, ItemField
from recsvc.model.catalogue import Catalogue

# A storefront's pages ask for the same few hundred filters all day; one takes a byte an item.
KEPT_SELECTIONS = 128
# So few items are scored one by one, which is exact and costs less than looking past all the others.
FEW_ITEMS = 4_096


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the items, or all. allowed: bool (n,). few: int32, their rows, when they are at most FEW_ITEMS and not
    all; else None.
    """

    allowed: NDArray[np.bool_]
    few: NDArray[np.int32] | None
    all: bool

    @staticmethod
    def of(allowed: NDArray[np.bool_]) -> "Selection":
        count = np.count_nonzero(allowed)
        everything = count == len(allowed)
        few = np.flatnonzero(allowed).astype(np.int32) if count <= FEW_ITEMS and not everything else None
        return Selection(allowed, few, everything)


class Inventory:
    """The catalogue as it is while running. For the event loop's thread alone.

    An item of which nobody says otherwise is in stock. before: that of a catalogue with the same items
    in the same rows, and fewer of them; its changes still hold.
    """

    def __init__(self, catalogue: Catalogue, before: "Inventory | None" = None) -> None:
        self._catalogue = catalogue
        known = len(before._catalogue) if before else 0
        added = catalogue.items[known:]
        self._prices = np.array([np.nan if item.price is None else item.price for item in added])
        self._in_stock, self._deleted = np.ones(len(added), np.bool_), np.zeros(len(added), np.bool_)
        # By item and field, of unknown items too: a catalogue may come that has them.
        self._changes: dict[tuple[str, ItemField], ItemChange] = {}
        self._selections: OrderedDict[ItemFilter, Selection] = OrderedDict()
        if before is not None:
            self._prices = np.append(before._prices, self._prices)
            self._in_stock = np.append(before._in_stock, self._in_stock)
            self._deleted = np.append(before._deleted, self._deleted)
            self._changes = dict(before._changes)
            for item, field in product(added, ItemField):
                if (change := self._changes.get((item.item_id, field))) is not None:
                    self._set(change)

    def apply(self, changes: Iterable[ItemChange]) -> None:
        """Takes changes in, in any order: of one field of an item the one that was set last holds."""
        for change in filter(self.is_news, changes):
            self._changes[change.item_id, change.field] = change
            self._set(change)
        self._selections.clear()

    def _set(self, change: ItemChange) -> None:
        row = self._catalogue.row(change.item_id)
        if row is None:
            return
        if change.field is ItemField.PRICE:
            self._prices[row] = change.value  # None becomes NaN
        elif change.field is ItemField.STOCK:
            self._in_stock[row] = change.value != 0
        elif change.field is ItemField.DELETED:
            self._deleted[row] = change.value == 1

    def is_news(self, change: ItemChange) -> bool:
        """Whether it was set after what is held. What is the same is no news."""
        held = self._changes.get((change.item_id, change.field))
        return held is None or (held.set_time <= change.set_time and held != change)

    def listable(self, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of these may be in a list now."""
        return self._in_stock[rows] & ~self._deleted[rows]

    def is_deleted(self, row: int) -> bool:
        return bool(self._deleted[row])

    def select(self, item_filter: ItemFilter) -> Selection | None:
        """What is in stock and the filter lets pass; None: everything."""
        selection = self._selections.get(item_filter)
        if selection is None:
            allowed = self._matching(item_filter) & self._in_stock & ~self._deleted
            selection = self._selections[item_filter] = Selection.of(allowed)
            while len(self._selections) > KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        self._selections.move_to_end(item_filter)
        return None if selection.all else selection

    def among(self, rows: NDArray[np.int32]) -> Selection:
        """Those of these rows that are in stock."""
        allowed = np.zeros(len(self._catalogue), np.bool_)
        allowed[rows] = self.listable(rows)
        return Selection.of(allowed)

    def _matching(self, item_filter: ItemFilter) -> NDArray[np.bool_]:
        matching = np.ones(len(self._catalogue), np.bool_)
        if item_filter.brands:
            brands = self._catalogue.brands
            matching &= _of_names(brands.codes, [name in item_filter.brands for name in brands.names])
        if item_filter.categories:
            paths = self._catalogue.paths
            matching &= _of_names(paths.codes, [_within(path, item_filter.categories) for path in paths.names])
        for wanted in item_filter.attributes:
            has = np.zeros(len(matching), np.bool_)
            for value in wanted.values:
                has[self._catalogue.attributes[wanted.name, value]] = True
            matching &= has != wanted.exclude
        if item_filter.item_ids:
            named = np.zeros(len(matching), np.bool_)
            named[self._catalogue.rows(item_filter.item_ids)] = True
            matching &= named
        # An item of unknown price is NaN, which is neither above nor below anything.
        if item_filter.min_price is not None:
            matching &= self._prices >= item_filter.min_price
        if item_filter.max_price is not None:
            matching &= self._prices <= item_filter.max_price
        return matching


def _of_names(codes: NDArray[np.int32], wanted: list[bool]) -> NDArray[np.bool_]:
    """Which rows have a code that is wanted; the last place is for NO_CODE, -1."""
    return np.array([*wanted, False])[codes]


def _within(path: tuple[str, ...], categories: frozenset[tuple[str, ...]]) -> bool:
    return any(path[:depth] in categories for depth in range(1, len(path) + 1))
