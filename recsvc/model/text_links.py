"""Links between the items that came after training and the bought items of nearest text, in both directions.

Nobody has bought a new item yet, so it has no neighbours of its own and is nobody's neighbour. Until the next training
its neighbours are the bought items whose texts are nearest, and it is a neighbour of these.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROW, Floats, Rows
from recsvc.model.text_neighbours import NEIGHBOURS


@dataclass(frozen=True)
class TextLinks:
    """Links of each of n items. An item that came after training has links to bought items, these have links to it.

    Attributes:
        rows: int32 (n, NEIGHBOURS), rows of linked items; NO_ROW for none. A bought item keeps the nearest new items.
        weights: float16 (n, NEIGHBOURS), how much each counts, as in `Neighbours.weights`.
        scale: The weight of a text with cosine 1.
    """

    rows: Rows
    weights: NDArray[np.float16]
    scale: float

    @staticmethod
    def empty(neighbour_weights: NDArray[np.float16]) -> "TextLinks":
        """Returns links of n items that have none.

        The scale makes the row of a new item as long as the median row of training, if all its texts have cosine 1.

        Args:
            neighbour_weights: (n, m), see `Neighbours.weights`.
        """
        lengths = np.sqrt(np.einsum("nm,nm->n", neighbour_weights, neighbour_weights, dtype=np.float32))
        lengths = lengths[lengths > 0]
        n = len(neighbour_weights)
        return TextLinks(
            rows=np.full((n, NEIGHBOURS), NO_ROW, np.int32),
            weights=np.zeros((n, NEIGHBOURS), np.float16),
            scale=float(np.median(lengths) / np.sqrt(NEIGHBOURS)) if len(lengths) else 0.0,
        )

    def with_items(self, n: int, new_rows: Rows, bought: NDArray[np.intp], cosines: Floats) -> "TextLinks":
        """Returns a copy that links some items as their texts are now. What they were linked with before is dropped.

        Args:
            n: How many items there are now.
            new_rows: Distinct rows of p items that came after training.
            bought: Rows of the bought items of nearest text, (p, NEIGHBOURS) or fewer, distinct for each item.
            cosines: How near each is, of the same shape.
        """
        more = ((0, n - len(self.rows)), (0, 0))
        rows, weights = np.pad(self.rows, more, constant_values=NO_ROW), np.pad(self.weights, more)
        before = np.unique(rows[new_rows])
        before = before[before != NO_ROW]
        stale = np.isin(rows[before], new_rows)
        rows[before], weights[before] = np.where(stale, NO_ROW, rows[before]), np.where(stale, 0, weights[before])
        width = bought.shape[1]
        weights[new_rows], rows[new_rows] = 0, NO_ROW
        weights[new_rows, :width] = self.scale * np.maximum(cosines, 0)
        rows[new_rows, :width] = np.where(weights[new_rows, :width] > 0, bought, NO_ROW)
        _add(rows, weights, new_rows)
        return TextLinks(rows, weights, self.scale)


def _add(rows: Rows, weights: NDArray[np.float16], new_rows: Rows) -> None:
    """Links bought items with the new items that are linked with them, in place; each keeps its nearest."""
    is_linked = rows[new_rows] != NO_ROW
    places, columns = np.nonzero(is_linked)
    bought = np.unique(rows[new_rows][is_linked])
    owners = np.concatenate((np.repeat(bought, NEIGHBOURS), rows[new_rows[places], columns]))
    linked = np.concatenate((rows[bought].ravel(), new_rows[places]))
    counts = np.concatenate((weights[bought].ravel(), weights[new_rows[places], columns]))
    order = np.lexsort((linked, -counts, owners))
    owners, linked, counts = owners[order], linked[order], counts[order]
    nth = np.arange(len(owners)) - np.searchsorted(owners, owners)
    kept = nth < NEIGHBOURS
    rows[owners[kept], nth[kept]], weights[owners[kept], nth[kept]] = linked[kept], counts[kept]
