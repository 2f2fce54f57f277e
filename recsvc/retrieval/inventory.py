"""Which items of a catalogue may be listed now, and which of them match a filter."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows
from recsvc.domain.query import ItemFilter
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.model.catalogue import Catalogue
from recsvc.model.growing import GrowingMatrix

# A storefront's pages use the same few hundred filters all day. One selection takes a byte an item, so a large shop
# keeps fewer: making one takes some milliseconds for a million items.
KEPT_SELECTIONS, KEPT_SELECTION_BYTES = 128, 32_000_000
# A selection of at most this many items is scored item by item: that is exact, and costs less than a scan of all items.
FEW_ITEMS = 4_096

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Selection:
    """Some of the items, or all of them. Selections are compared by identity.

    Attributes:
        allowed: bool (n,), which rows are selected.
        few: The selected rows, ascending, if they are at most FEW_ITEMS and not all; else None.
        all: Whether every row is selected.
    """

    allowed: Mask
    few: Rows | None
    all: bool

    @staticmethod
    def of(allowed: Mask) -> "Selection":
        """Selects the rows of a mask, bool (n,)."""
        count = np.count_nonzero(allowed)
        everything = count == len(allowed)
        few = np.flatnonzero(allowed).astype(np.int32) if count <= FEW_ITEMS and not everything else None
        return Selection(allowed, few, everything)


@dataclass(frozen=True, slots=True)
class Table:
    """The shop's table of items, as a bundle was trained on it.

    Attributes:
        items: How many it has; they have the first rows.
        written: When the shop wrote it, in microseconds since 1970 UTC; 0 if that is not known.
    """

    items: int = 0
    written: int = 0


class _Columns:
    """What changes of each of n items. A price that is not known is NaN.

    Args:
        catalogue: The items.
        earlier: Those of fewer items. They share the memory of these, and are not written any more.

    Attributes:
        prices: float64 (n,). Those of the catalogue, until the first change.
        in_stock: bool (n,).
        deleted: bool (n,).
    """

    def __init__(self, catalogue: Catalogue, earlier: "_Columns | None" = None) -> None:
        n = len(catalogue)
        if earlier is None:
            before, self.prices = 0, catalogue.prices
            self.memory = (GrowingMatrix(np.zeros(0, np.bool_)), GrowingMatrix(np.zeros(0, np.bool_)))
            self.price_memory: GrowingMatrix[np.float64] | None = None
        else:
            before, self.memory = len(earlier.prices), earlier.memory
            self.price_memory = earlier.price_memory or GrowingMatrix(earlier.prices)
            self.prices = self.price_memory.extended(before, n - before, np.nan)
            for row in range(before, n):
                if (price := catalogue.items[row].price) is not None:
                    self.prices[row] = price
        in_stock, deleted = self.memory
        self.in_stock: Mask = in_stock.extended(before, n - before, fill=True)
        self.deleted: Mask = deleted.extended(before, n - before)

    def write(self, row: int, change: ItemChange) -> None:
        """Takes the value of a change into a row. Words are not kept here."""
        if change.field is ItemField.PRICE:
            if self.price_memory is None:
                self.price_memory = GrowingMatrix(self.prices)
                self.prices = self.price_memory.extended(len(self.prices), 0)
            self.prices[row] = np.nan if isinstance(change.value, ItemContent | None) else change.value
        elif change.field is ItemField.STOCK:
            self.in_stock[row] = change.value != 0
        elif change.field is ItemField.DELETED:
            self.deleted[row] = change.value == 1


class Inventory:
    """Price, stock and deletion of each item, as the shop changes them. For the event loop's thread only.

    An item is in stock until a change says otherwise. Price and words are as the table has them, until a change that is
    newer than the table.

    Args:
        catalogue: The items that rows refer to.
        table: The items of the catalogue that were trained.
        columns: The state of each row; None for that of a new catalogue.
        changes: The newest change of each field of an item, to which later ones are added.
        counts: Of `changes`.

    Attributes:
        counts: How many items have a change of each field.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        table: Table = Table(),
        columns: _Columns | None = None,
        changes: dict[tuple[str, ItemField], ItemChange] | None = None,
        counts: Mapping[ItemField, int] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._table = table
        self._columns = columns or _Columns(catalogue)
        # Of unknown items too: a later catalogue may have them.
        self._changes = {} if changes is None else changes
        self.counts = Counter(counts or {})
        self._selections: OrderedDict[ItemFilter, Selection] = OrderedDict()
        self._most_selections = max(1, min(KEPT_SELECTIONS, KEPT_SELECTION_BYTES // max(len(catalogue), 1)))
        self._version = 0
        self._deletions = 0

    def with_catalogue(self, catalogue: Catalogue) -> "Inventory":
        """Returns the inventory of a catalogue with the same items in the same rows, and more of them at the end.

        Changes that were applied still hold. Each new word of the shop makes an inventory, so nothing is copied: both
        share what they hold, and only the later one may be changed.
        """
        columns = _Columns(catalogue, self._columns)
        for row in range(len(self._catalogue), len(catalogue)):
            item_id = catalogue.items[row].item_id
            for field in ItemField:
                if (change := self._changes.get((item_id, field))) is not None:
                    columns.write(row, change)
        return Inventory(catalogue, self._table, columns, self._changes, self.counts)

    def apply(self, changes: Iterable[ItemChange]) -> None:
        """Applies changes in any order: for each field of an item, the change that was set last holds."""
        for change in filter(self.is_news, changes):
            self.counts[change.field] += (change.item_id, change.field) not in self._changes
            self._changes[change.item_id, change.field] = change
            if (row := self._catalogue.row(change.item_id)) is not None:
                self._columns.write(row, change)
                self._deletions += change.field is ItemField.DELETED
        self._selections.clear()
        self._version += 1

    @property
    def changes(self) -> Mapping[tuple[str, ItemField], ItemChange]:
        """The newest change of each field of an item."""
        return self._changes

    @property
    def version(self) -> int:
        """How many times changes were applied to this object: an equal number means an equal inventory."""
        return self._version

    @property
    def deletions(self) -> int:
        """How many times an item was deleted or restored in this object. It changes seldom, unlike `version`."""
        return self._deletions

    def is_news(self, change: ItemChange) -> bool:
        """Returns whether a change is newer than what is held: an earlier change, or the table of the items.

        An equal change is not news.
        """
        held = self._changes.get((change.item_id, change.field))
        if held is None:
            return change.set_time >= self._table.written or not self._is_in_table(change)
        return held.set_time <= change.set_time and held != change

    def _is_in_table(self, change: ItemChange) -> bool:
        """Returns whether the table has a value for the field of a change: words, or a price. It has no stock."""
        row = self._catalogue.row(change.item_id)
        if row is None or row >= self._table.items:
            return False
        if change.field is ItemField.PRICE:
            return not np.isnan(self._columns.prices[row])  # as in the table, since no change is held
        return change.field is ItemField.CONTENT

    def listable(self, rows: Rows) -> Mask:
        """Returns which of the rows may be in a list now, bool (m,)."""
        return self._columns.in_stock[rows] & ~self._columns.deleted[rows]

    @property
    def listable_items(self) -> int:
        """How many items may be in a list now. Safe to read from any thread."""
        columns = self._columns
        return int(np.count_nonzero(columns.in_stock & ~columns.deleted))

    def is_deleted(self, row: int) -> bool:
        """Returns whether the shop deleted an item."""
        return bool(self._columns.deleted[row])

    def select(self, item_filter: ItemFilter) -> Selection | None:
        """Returns the listable items that match a filter; None if that is every item."""
        selection = self._selections.get(item_filter)
        if selection is None:
            allowed = self._matching(item_filter) & self._columns.in_stock & ~self._columns.deleted
            selection = self._selections[item_filter] = Selection.of(allowed)
            while len(self._selections) > self._most_selections:
                self._selections.popitem(last=False)
        self._selections.move_to_end(item_filter)
        return None if selection.all else selection

    def among(self, rows: Rows) -> Selection:
        """Returns those of the rows that are listable."""
        allowed = np.zeros(len(self._catalogue), np.bool_)
        allowed[rows] = self.listable(rows)
        return Selection.of(allowed)

    def _matching(self, item_filter: ItemFilter) -> Mask:
        """Returns which rows match a filter, whether or not they are listable, bool (n,)."""
        catalogue = self._catalogue
        matching = np.ones(len(catalogue), np.bool_)
        if item_filter.brands:
            matching &= catalogue.brands.having(item_filter.brands)
        if item_filter.categories:
            matching &= catalogue.paths.mask(lambda path: _is_within(path, item_filter.categories))
        for attribute in item_filter.attributes:
            has_value = np.zeros(len(matching), np.bool_)
            for value in attribute.values:
                has_value[catalogue.attributes[attribute.name, value]] = True
            matching &= has_value != attribute.exclude
        if item_filter.item_ids:
            has_id = np.zeros(len(matching), np.bool_)
            has_id[catalogue.rows(item_filter.item_ids)] = True
            matching &= has_id
        # An unknown price is NaN, which is neither above nor below any limit.
        if item_filter.min_price is not None:
            matching &= self._columns.prices >= item_filter.min_price
        if item_filter.max_price is not None:
            matching &= self._columns.prices <= item_filter.max_price
        return matching


def _is_within(path: tuple[str, ...], categories: frozenset[tuple[str, ...]]) -> bool:
    """Returns whether a path, or a beginning of it, is one of the categories."""
    return any(path[:depth] in categories for depth in range(1, len(path) + 1))
