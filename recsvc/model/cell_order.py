"""Where the items of a view stand if similar ones are side by side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows

# A cell has whole blocks, since copying 16 rows at a time takes half as long as copying them one by one.
BLOCK_ROWS = 16

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Centres:
    """The means of c cells, and how far above them the scores of their items reach.

    Attributes:
        codes: int8 (c, r), of the shortened vectors.
        scales: float32 (c,), what one step of the codes of a cell is worth.
        reaches: float32 (2 o + 1, c), the largest and then the least values of the item-only columns; and how far the
            other part of the scores reaches above that of the mean, for a shortened user vector of length 1.
    """

    codes: Codes
    scales: Floats
    reaches: Floats


@dataclass(frozen=True)
class CellOrder:
    """The places of items by cell. Some places at the end of a cell have no item.

    Attributes:
        rows: int32 (p,), the row of each place; NO_ROW for none.
        places: int32 (n,), the place of each row.
        starts: int32 (c + 1,), the first block of each cell.
        in_full: float32 (p, o + 1), the item-only columns; and 0, or -inf at a place without an item.
        centres: Of the cells.
        weights: float32 (o,), how much an item-only column counts beside a shortened one in the distance to a cell.
        probed: How many cells a search reads.
        least_length: Of a shortened user vector. For a shorter one, the cells say too little of the scores.
    """

    rows: Rows
    places: Rows
    starts: Rows
    in_full: Floats
    centres: Centres
    weights: Floats
    probed: int
    least_length: float

    @property
    def cells(self) -> Rows:
        """The cell of each row, int32 (n,)."""
        of_blocks = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))
        return np.asarray(of_blocks[self.places // BLOCK_ROWS])
