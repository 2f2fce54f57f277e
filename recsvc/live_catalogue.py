"""What of a bundle's catalogue may be listed now, and which of it a caller's filter lets pass."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.catalogue import Catalogue
from recsvc.domain import ItemFilter

# A storefront's pages ask for the same few hundred filters all day; one takes a byte an item.
KEPT_SELECTIONS = 128
# So few items are scored one by one, which is exact and costs less than looking past all the others.
FEW_ITEMS = 4_096


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the items. allowed: bool (n,). few: int32, their rows, when they are at most FEW_ITEMS; else None."""

    allowed: NDArray[np.bool_]
    few: NDArray[np.int32] | None

    @staticmethod
    def of(allowed: NDArray[np.bool_]) -> "Selection":
        few = np.flatnonzero(allowed).astype(np.int32) if np.count_nonzero(allowed) <= FEW_ITEMS else None
        return Selection(allowed, few)


class LiveCatalogue:
    """The catalogue as it is while running. For the event loop's thread alone."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._prices = np.array([np.nan if item.price is None else item.price for item in catalogue.items])
        self._selections: OrderedDict[ItemFilter, Selection] = OrderedDict()

    def select(self, item_filter: ItemFilter) -> Selection | None:
        """What the filter lets pass; None: everything."""
        if item_filter == ItemFilter():
            return None
        selection = self._selections.get(item_filter)
        if selection is None:
            selection = self._selections[item_filter] = Selection.of(self._matching(item_filter))
            while len(self._selections) > KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        self._selections.move_to_end(item_filter)
        return selection

    def _matching(self, item_filter: ItemFilter) -> NDArray[np.bool_]:
        matching = np.ones(len(self._catalogue), np.bool_)
        if item_filter.brands:
            codes, names = self._catalogue.brands
            matching &= _of_names(codes, [name in item_filter.brands for name in names])
        if item_filter.categories:
            codes, paths = self._catalogue.paths
            matching &= _of_names(codes, [_within(path, item_filter.categories) for path in paths])
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
