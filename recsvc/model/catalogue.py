"""The items of a bundle by row and by id, with brands and categories as integer codes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from operator import index
from typing import Generic, SupportsIndex, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.domain.shop import Item
from recsvc.model.columns import DistinctTexts
from recsvc.model.growing import GrowingMapping, GrowingMatrix
from recsvc.model.item_columns import NO_CODE, ItemColumns, read_name, written
from recsvc.model.item_words import ItemWords, search_text

# Items and rows that are kept once they were asked for: some 16 MB. Most requests are for the same few thousand.
KEPT_ITEMS, KEPT_ROWS = 16_384, 65_536

Name = TypeVar("Name", str, tuple[str, ...])


class Codes(Generic[Name]):
    """One name for each row, as an integer code. Immutable.

    Args:
        codes: int32 (n,), NO_CODE for an empty name.
        stored: The names of the bundle, by code.
        read: Returns the name that a text stands for.
        write: Returns the text that stands for a name.

    Attributes:
        codes: int32 (n,), NO_CODE for an empty name.
    """

    def __init__(
        self, codes: Rows, stored: DistinctTexts, read: Callable[[str], Name], write: Callable[[Name], str]
    ) -> None:
        self.codes = codes
        self._stored = stored
        self._read: Callable[[str], Name] = read
        self._write: Callable[[Name], str] = write
        self._added: GrowingMapping[Name, int] = GrowingMapping()
        self._memory: GrowingMatrix[np.int32] | None = None

    @classmethod
    def growing(
        cls,
        memory: GrowingMatrix[np.int32] | None,
        codes: Rows,
        stored: DistinctTexts,
        read: Callable[[str], Name],
        write: Callable[[Name], str],
    ) -> "Codes[Name]":
        """As the constructor. memory: of the codes; None to make it when a row is added."""
        made = cls(codes, stored, read, write)
        made._memory = memory
        return made

    def with_values(self, values: Mapping[int, Name], n: int) -> "Codes[Name]":
        """A copy for n rows.

        Rows are added in memory that both share. Only if an earlier row gets another name are all codes copied:
        requests may still read the codes as they were.

        Args:
            values: Names by row, of all new rows and of any others that change.
            n: How many rows the copy has.
        """
        other = Codes(self.codes, self._stored, self._read, self._write)
        new_names: dict[Name, int] = {}
        for name in values.values():
            if name and name not in new_names and self.code(name) is None:
                new_names[name] = len(self) + len(new_names)
        other._added = self._added.with_values(new_names) if new_names else self._added
        codes = {row: NO_CODE if not name else other._code(name) for row, name in values.items()}
        before = len(self.codes)
        memory = self._memory
        if (
            memory is None
            or not memory.holds(self.codes)
            or any(row < before and self.codes[row] != code for row, code in codes.items())
        ):
            memory = GrowingMatrix(self.codes)
        other._memory, other.codes = memory, memory.extended(before, n - before, NO_CODE)
        for row, code in codes.items():
            if other.codes[row] != code:
                other.codes[row] = code
        return other

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._stored) + len(self._added)

    def code(self, name: Name) -> int | None:
        """Returns the code of a name; None if no row has ever had it."""
        code = self._added.get(name)
        return self._stored.find(self._write(name)) if code is None else code

    def name(self, code: int) -> Name:
        """Returns the name of a code."""
        if code < len(self._stored):
            return self._read(self._stored[code])
        return self._added_names[code - len(self._stored)]

    @property
    def names(self) -> Sequence[Name]:
        """All names by code. Reads every one of them: `name` is for a few."""
        return [self._read(text) for text in self._stored] + list(self._added_names)

    def mask(self, matches: Callable[[Name], bool]) -> NDArray[np.bool_]:
        """Returns which rows have a name that matches, bool (n,). A row without a name never does."""
        # The last place is for NO_CODE, -1.
        return np.array([*map(matches, self.names), False], np.bool_)[self.codes]

    def having(self, names: Iterable[Name]) -> NDArray[np.bool_]:
        """Returns which rows have one of some names, bool (n,)."""
        codes = [code for name in names if name and (code := self.code(name)) is not None]
        if len(codes) == 1:
            return np.asarray(self.codes == codes[0])
        matching = np.zeros(len(self) + 1, np.bool_)
        matching[codes] = True
        return matching[self.codes]

    def _code(self, name: Name) -> int:
        code = self.code(name)
        assert code is not None  # noqa: S101  with_values has added it
        return code

    @cached_property
    def _added_names(self) -> tuple[Name, ...]:
        return tuple(sorted(self._added, key=self._added.__getitem__))


def codes_of(values: Iterable[tuple[str, ...]]) -> Codes[tuple[str, ...]]:
    """Returns the codes of some paths, in the order of their first row."""
    code_of: dict[tuple[str, ...], int] = {}
    codes = [code_of.setdefault(value, len(code_of)) if value else NO_CODE for value in values]
    return Codes(np.array(codes, np.int32), DistinctTexts.of(map(written, code_of)), read_name, written)


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
