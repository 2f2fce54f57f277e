"""Adds rows to the arrays of a bundle, for items and category paths that came after training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows
from recsvc.model.catalogue import Catalogue
from recsvc.model.growing import GrowingMatrix
from recsvc.model.item_columns import NO_CODE

# The arrays with a row for each item, and what they say of an item that came after training. How new items are bought
# again is unknown: the average rate.
NEW_ROWS: dict[str, float] = {
    "item_vectors": 0,
    "buyers": 0,
    "purchases": 0,
    "cohorts": 0,
    "companions": NO_CODE,
    "companion_buyers": 0,
    "repeat_rates": 1,
    "repeat_intervals": 0,
    "text_codes": 0,
}


def with_rows(
    arrays: Mapping[str, NDArray[Any]], memory: Mapping[str, GrowingMatrix[Any]], more: int
) -> tuple[dict[str, GrowingMatrix[Any]], dict[str, NDArray[Any]]]:
    """Returns the arrays of `NEW_ROWS` with more rows, and their memory.

    Args:
        arrays: Of `NEW_ROWS`, of n items.
        memory: That they may lie in, by name.
        more: How many items are added.
    """
    later, grown = dict(memory), dict[str, NDArray[Any]]()
    for name, fill in NEW_ROWS.items():
        array = arrays[name]
        if name not in later or not later[name].holds(array):
            later[name] = GrowingMatrix(array)
        grown[name] = later[name].extended(len(array), more, fill)
    return later, grown


def with_category_codes(
    category_codes: NDArray[np.int8], catalogue: Catalogue, rows: Rows, text_codes: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Returns the codes of all category paths; a new path has that of its first item, whose text names it.

    Args:
        category_codes: Of the paths that were known.
        catalogue: The items now.
        rows: Of the new and changed items.
        text_codes: Of all items.
    """
    codes = catalogue.paths.codes[rows]
    new, first = np.unique(codes[codes >= len(category_codes)], return_index=True)
    if not len(new):
        return category_codes
    return np.concatenate((category_codes, text_codes[rows[codes >= len(category_codes)][first]]))
