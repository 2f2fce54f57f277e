"""The arrays of a bundle to which rows are added for items that came after training."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

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
