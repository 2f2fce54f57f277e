"""The items of a bundle by row and by id, with brands and categories as integer codes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import index
from typing import SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.domain.shop import Item
from recsvc.model.codes import Codes
from recsvc.model.growing import GrowingMapping, GrowingMatrix
from recsvc.model.item_columns import ItemColumns, read_name, written
from recsvc.model.item_words import ItemWords, search_text

# Items and rows that are kept once they were asked for: some 16 MB. Most requests are for the same few thousand.
KEPT_ITEMS, KEPT_ROWS = 16_384, 65_536


class AttributeRows:
    """The rows that have a value of an attribute. Immutable.

    Args:
        columns: The rows of the bundle.
        changed: For attributes of items that came or changed later, all rows.
    """

    def __init__(self, columns: ItemColumns, changed: GrowingMapping[tuple[str, str], Rows] | None = None) -> None:
        self._columns = columns
        self._changed: GrowingMapping[tuple[str, str], Rows] = GrowingMapping() if changed is None else changed

    def __getitem__(self, attribute: tuple[str, str]) -> Rows:
        rows: Rows | None = self._changed.get(attribute)
        if rows is not None:
            return rows
        code = self._columns.attributes.find(written(attribute))
        return NO_ROWS if code is None else self._columns.attribute_rows[code]

    def with_items(self, items: Mapping[int, Item], before: Mapping[int, Item]) -> "AttributeRows":
        """A copy with some items replaced or added.

        Args:
            items: Items by row.
            before: The items before the change of those rows that there were.
        """
        lost: dict[tuple[str, str], list[int]] = {}
        gained: dict[tuple[str, str], list[int]] = {}
        for row, item in items.items():
            had = set(before[row].attributes) if row in before else set()
            for attribute in had.difference(item.attributes):
                lost.setdefault(attribute, []).append(row)
            for attribute in sorted(set(item.attributes).difference(had)):
                gained.setdefault(attribute, []).append(row)
        changed = {}
        for attribute in {**lost, **gained}:
            rows = self[attribute]
            if attribute in lost:
                rows = rows[~np.isin(rows, lost[attribute])]
            changed[attribute] = np.append(rows, np.array(gained.get(attribute, ()), np.int32))
        return AttributeRows(self._columns, self._changed.with_values(changed)) if changed else self


class Items(Sequence[Item]):
    """The items of a catalogue by row, each built when it is asked for. Immutable.

    Args:
        stored: Builds an item of the bundle, or returns one that was built before.
        columns: The items of the bundle.
        changed: The items that came or changed later, by row.
        n: How many rows there are.
    """

    def __init__(
        self, stored: Callable[[int], Item], columns: ItemColumns, changed: Mapping[int, Item], n: int
    ) -> None:
        self._stored, self._columns, self._changed, self._n = stored, columns, changed, n
        self._is_changed = bool(changed)

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, row: SupportsIndex) -> Item: ...

    @overload
    def __getitem__(self, row: slice) -> tuple[Item, ...]: ...

    def __getitem__(self, row: SupportsIndex | slice) -> Item | tuple[Item, ...]:
        if isinstance(row, slice):
            return tuple(self[i] for i in range(*row.indices(self._n)))
        row = index(row)
        if not 0 <= row < self._n:
            row += self._n
            if not 0 <= row < self._n:
                raise IndexError(row - self._n)
        if self._is_changed and (item := self._changed.get(row)) is not None:
            return item
        return self._stored(row)

    def __iter__(self) -> Iterator[Item]:
        """Builds every item, and keeps none of them."""
        for row in range(self._n):
            yield self._changed[row] if row in self._changed else self._columns.item(row)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Items | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


class Catalogue:
    """Items in the order of their rows. Immutable.

    The items of the bundle are columns. Items that were added or replaced later are kept beside them.

    Args:
        items: With distinct ids; or their columns.
        words: Of the items; None to read them when they are needed.
        memory: Of the codes of brands and paths, by the name of the column; without it, the codes are copied when the
            first item is added.

    Attributes:
        items: By row.
        version: How many times items were added or replaced, counted from the first catalogue.
        brands: The brand of each row.
        paths: The category path of each row.
        attributes: The rows of each attribute's value.
    """

    def __init__(
        self,
        items: Iterable[Item] | ItemColumns,
        words: ItemWords | None = None,
        memory: Mapping[str, GrowingMatrix[np.int32]] = {},
    ) -> None:
        columns = self._columns = items if isinstance(items, ItemColumns) else ItemColumns.of(items)
        self._stored_words = words
        self.version = 0
        # They refer to the columns, and not to this object: a catalogue that nobody uses is freed at once.
        self._stored_item = lru_cache(KEPT_ITEMS)(columns.item)
        self._stored_row = lru_cache(KEPT_ROWS)(columns.ids.find)
        self._changed: GrowingMapping[int, Item] = GrowingMapping()
        self._added: GrowingMapping[str, int] = GrowingMapping()
        self.items = Items(self._stored_item, columns, self._changed, len(columns))
        self.brands: Codes[str] = Codes.growing(
            memory.get("item.brand_codes"), columns.brand_codes, columns.brands, str, str
        )
        self.paths: Codes[tuple[str, ...]] = Codes.growing(
            memory.get("item.path_codes"), columns.path_codes, columns.paths, read_name, written
        )
        self.attributes = AttributeRows(columns)

    def with_items(self, items: Sequence[Item]) -> "Catalogue":
        """A copy with some items replaced, in their rows, or added at the end. It costs as much as these items."""
        changed: dict[int, Item] = {}
        added: dict[str, int] = {}
        for item in items:
            row = self.row(item.item_id)
            if row is None:
                row = added.setdefault(item.item_id, len(self) + len(added))
            changed[row] = item
        n, before = len(self) + len(added), {row: self.items[row] for row in changed if row < len(self)}
        other = object.__new__(Catalogue)
        other._columns, other.version = self._columns, self.version + 1
        other._stored_words = None
        other._stored_item, other._stored_row = self._stored_item, self._stored_row
        other._changed = self._changed.with_values(changed)
        other._added = self._added.with_values(added)
        other.items = Items(self._stored_item, self._columns, other._changed, n)
        other.brands = self.brands.with_values({row: item.brand for row, item in changed.items()}, n)
        other.paths = self.paths.with_values({row: item.categories for row, item in changed.items()}, n)
        other.attributes = self.attributes.with_items(changed, before)
        return other

    @property
    def columns(self) -> ItemColumns:
        """All items as columns."""
        return ItemColumns.of(self.items) if self._changed else self._columns

    @property
    def words(self) -> ItemWords:
        """The words of the items. They are read from all items unless the items are those of a bundle."""
        return self._stored_words or ItemWords.of([search_text(item) for item in self.items])

    @property
    def prices(self) -> NDArray[np.float64]:
        """The price of each row, float64 (n,); NaN if unknown. Not to be written. Copied once items were added."""
        if not self._changed:
            return self._columns.prices
        prices = np.full(len(self), np.nan)
        prices[: len(self._columns)] = self._columns.prices
        for row, item in self._changed.items():
            prices[row] = np.nan if item.price is None else item.price
        return prices

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and self.row(item_id) is not None

    def row(self, item_id: str) -> int | None:
        """The row of an item; None if it is not in the catalogue."""
        row = self._stored_row(item_id)
        return self._added.get(item_id) if row is None and self._added else row

    def rows(self, item_ids: Iterable[str]) -> NDArray[np.int32]:
        """The rows of the ids that are in the catalogue, int32, in the order of the ids."""
        rows = map(self.row, item_ids)
        return np.fromiter((row for row in rows if row is not None), np.int32)

    @property
    def categories(self) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """The most specific category of each row, int32 (n,), and the names by code; NO_CODE for none."""
        return self.paths.codes, tuple(path[-1] for path in self.paths.names)
