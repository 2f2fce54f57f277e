"""Links between the items that came after training and the bought items of nearest text, in both directions.

Nobody has bought a new item yet, so it has no neighbours of its own and is nobody's neighbour. Until the next training
its neighbours are the bought items whose texts are nearest, and it is a neighbour of these.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROW, Floats, Rows
from recsvc.model.growing import GrowingMapping
from recsvc.model.text_neighbours import NEIGHBOURS


@dataclass(frozen=True)
class TextLinks:
    """Links of each of n items. An item that came after training has links to bought items, these have links to it.

    Attributes:
        n: How many items there are.
        scale: The weight of a text with cosine 1.
        linked: For each item with links: rows of linked items, int32 (NEIGHBOURS,), NO_ROW for none; and how much each
            counts, float16 (NEIGHBOURS,), as in `Neighbours.weights`. A bought item keeps the nearest new items.
    """

    n: int
    scale: float
    linked: GrowingMapping[int, tuple[Rows, NDArray[np.float16]]] = field(default_factory=GrowingMapping)

    @staticmethod
    def empty(neighbour_weights: NDArray[np.float16], scale: float | None = None) -> "TextLinks":
        """Returns links of n items that have none.

        Args:
            neighbour_weights: (n, m), see `Neighbours.weights`.
            scale: `link_scale` of these weights; None to compute it.
        """
        return TextLinks(len(neighbour_weights), link_scale(neighbour_weights) if scale is None else scale)

    def of_items(self, items: Rows) -> tuple[Rows, NDArray[np.float16]]:
        """Returns the rows that p items are linked with, and how much each counts, (p, NEIGHBOURS) each."""
        rows = np.full((len(items), NEIGHBOURS), NO_ROW, np.int32)
        weights = np.zeros((len(items), NEIGHBOURS), np.float16)
        for place, item in enumerate(items.tolist()):
            if (links := self.linked.get(item)) is not None:
                rows[place], weights[place] = links
        return rows, weights

    def with_items(self, n: int, new_rows: Rows, bought: NDArray[np.intp], cosines: Floats) -> "TextLinks":
        """Returns a copy that links some items as their texts are now. What they were linked with before is dropped.

        Args:
            n: How many items there are now.
            new_rows: Distinct rows of p items that came after training.
            bought: Rows of the bought items of nearest text, (p, NEIGHBOURS) or fewer, distinct for each item.
            cosines: How near each is, of the same shape.
        """
        before = np.unique(self.of_items(new_rows)[0])
        before = before[before != NO_ROW]
        items = np.unique(np.concatenate((new_rows, before, bought.ravel()))).astype(np.int32)
        rows, weights = self.of_items(items)
        new, stale = np.searchsorted(items, new_rows), np.searchsorted(items, before)
        is_stale = np.isin(rows[stale], new_rows)
        rows[stale], weights[stale] = np.where(is_stale, NO_ROW, rows[stale]), np.where(is_stale, 0, weights[stale])
        width = bought.shape[1]
        weights[new], rows[new] = 0, NO_ROW
        weights[new, :width] = self.scale * np.maximum(cosines, 0)
        rows[new, :width] = np.where(weights[new, :width] > 0, bought, NO_ROW)
        _add(items, rows, weights, new)
        changed = {item: (rows[place], weights[place]) for place, item in enumerate(items.tolist())}
        return TextLinks(n, self.scale, self.linked.with_values(changed))


def link_scale(neighbour_weights: NDArray[np.float16]) -> float:
    """Returns `TextLinks.scale`: the row of a new item is as long as the median row, if all its texts have cosine 1.

    Args:
        neighbour_weights: (n, m), see `Neighbours.weights`.
    """
    lengths = np.sqrt(np.einsum("nm,nm->n", neighbour_weights, neighbour_weights, dtype=np.float32))
    lengths = lengths[lengths > 0]
    return float(np.median(lengths) / np.sqrt(NEIGHBOURS)) if len(lengths) else 0.0


def _add(items: Rows, rows: Rows, weights: NDArray[np.float16], new: NDArray[np.intp]) -> None:
    """Links bought items with the new items that are linked with them, in place; each keeps its nearest.

    Args:
        items: All items that change, ascending.
        rows: What each is linked with.
        weights: How much each link counts.
        new: The places of the new items in `items`.
    """
    is_linked = rows[new] != NO_ROW
    places, columns = np.nonzero(is_linked)
    bought = np.unique(np.searchsorted(items, rows[new][is_linked]))
    owners = np.concatenate((np.repeat(bought, NEIGHBOURS), np.searchsorted(items, rows[new[places], columns])))
    linked = np.concatenate((rows[bought].ravel(), items[new[places]]))
    counts = np.concatenate((weights[bought].ravel(), weights[new[places], columns]))
    order = np.lexsort((linked, -counts, owners))
    owners, linked, counts = owners[order], linked[order], counts[order]
    nth = np.arange(len(owners)) - np.searchsorted(owners, owners)
    kept = nth < NEIGHBOURS
    rows[owners[kept], nth[kept]], weights[owners[kept], nth[kept]] = linked[kept], counts[kept]
