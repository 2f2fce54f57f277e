"""The items of a bundle by row and by id, with their brands and categories as small ints."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recsvc.domain import Item

NO_CODE = -1

Name = TypeVar("Name", str, tuple[str, ...])


class Catalogue:
    """Items in row order. Immutable."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = tuple(items)
        self._row_of = {item.item_id: row for row, item in enumerate(self.items)}

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._row_of

    def with_items(self, items: Iterable[Item]) -> "Catalogue":
        """This catalogue with these items: known ones in their rows, new ones at the end."""
        changed = {item.item_id: item for item in items}
        kept = [changed.pop(item.item_id, item) for item in self.items]
        return Catalogue([*kept, *changed.values()])

    def row(self, item_id: str) -> int | None:
        """The row of an item, or None when it is not in the catalogue."""
        return self._row_of.get(item_id)

    def rows(self, item_ids: Iterable[str]) -> NDArray[np.int32]:
        """The rows of those ids that are in the catalogue, in the given order."""
        known = (self._row_of.get(item_id) for item_id in item_ids)
        return np.fromiter((row for row in known if row is not None), np.int32)

    @cached_property
    def brands(self) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """Each row's brand as an index into the brands' names; NO_CODE for an item without one."""
        return _codes([item.brand for item in self.items])

    @cached_property
    def paths(self) -> tuple[NDArray[np.int32], tuple[tuple[str, ...], ...]]:
        """Each row's path of categories as an index into the paths; NO_CODE for an item without one."""
        return _codes([item.categories for item in self.items])

    @property
    def categories(self) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """Each row's deepest category as an index into the names; NO_CODE for an item without one."""
        codes, paths = self.paths
        return codes, tuple(path[-1] for path in paths)


def _codes(values: Sequence[Name]) -> tuple[NDArray[np.int32], tuple[Name, ...]]:
    code_of: dict[Name, int] = {}
    codes = [code_of.setdefault(value, len(code_of)) if value else NO_CODE for value in values]
    return np.array(codes, np.int32), tuple(code_of)
