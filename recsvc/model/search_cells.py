"""Similar items side by side, so that a search of a very large shop reads few (`recsvc.retrieval.inverted_lists`).

Items whose shortened vectors are near to each other are one cell. The shortened vectors of a cell stand one after the
other, in whole blocks, and a search reads the cells whose items may be the best.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROW, Floats, Rows
from recsvc.model.cell_order import BLOCK_ROWS, CellOrder, Centres, Codes
from recsvc.model.search_views import SearchView, SearchViews
from recsvc.model.vectors import row_codes

# How far above its mean score a cell is taken to reach, in standard deviations of the scores of its items. Of a
# million items, 1 % had to be read for .997 of the best 100 with 6, and 4 % with 0.
REACH_DEVIATIONS = 6.0
_ROWS_AT_ONCE = 8_192  # whose nearest cell is looked for at a time

Number = TypeVar("Number", bound=np.number[Any])


def by_cell(
    view: SearchView, item_only: Floats, cells: Rows, weights: Floats, *, probed: int, least_length: float
) -> SearchView:
    """Returns a view whose items stand by cell.

    Args:
        view: Of n items, by row.
        item_only: Their item-only columns, float32 (n, o).
        cells: The cell of each row, int32 (n,). No cell is empty.
        weights: See `CellOrder.weights`.
        probed: How many cells a search reads.
        least_length: See `CellOrder.least_length`.
    """
    counts = np.bincount(cells)
    starts = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(-(-counts // BLOCK_ROWS), out=starts[1:])
    order = np.argsort(cells, kind="stable").astype(np.int32)
    # The places of the rows in this order: those of a cell count on from its first one.
    first = np.cumsum(counts) - counts
    at = np.arange(len(cells)) + np.repeat(starts[:-1] * BLOCK_ROWS - first, counts)
    size = int(starts[-1]) * BLOCK_ROWS
    rows, places = np.full(size, NO_ROW, np.int32), np.empty(len(cells), np.int32)
    rows[at], places[order] = order, at
    codes, scales = np.zeros((size, view.codes.shape[1]), np.int8), np.zeros(size, np.float32)
    in_full = np.zeros((size, item_only.shape[1] + 1), np.float32)
    in_full[:, -1] = -np.inf
    codes[at], scales[at] = view.codes[order], view.scales[order]
    in_full[at, :-1], in_full[at, -1] = item_only[order], 0
    centres = _centres(codes, scales, in_full, starts, counts)
    return replace(
        view,
        codes=codes,
        scales=scales,
        order=CellOrder(rows, places, starts, in_full, centres, weights, probed, least_length),
    )


def with_changed(views: SearchViews, item_vectors: Floats, changed: Rows) -> SearchViews:
    """Returns the same views of items some of which changed or are new. Each goes into the nearest cell.

    Args:
        views: Of earlier vectors.
        item_vectors: float32 (n, d).
        changed: Ascending rows, among them all that the views do not have.
    """
    return replace(views, views=tuple(_view_with_changed(view, item_vectors, changed) for view in views.views))


def _view_with_changed(view: SearchView, item_vectors: Floats, changed: Rows) -> SearchView:
    order, personal = view.order, len(view.projection.of_items)
    codes, scales = (
        (view.codes, view.scales) if order is None else (view.codes[order.places], view.scales[order.places])
    )
    new = SearchView.of(view.projection, item_vectors[changed], view.largest_loss)
    by_row = replace(
        view,
        codes=_replaced(codes, changed, new.codes, len(item_vectors)),
        scales=_replaced(scales, changed, new.scales, len(item_vectors)),
        order=None,
    )
    if order is None:
        return by_row
    item_only = np.ascontiguousarray(item_vectors[:, personal:])
    cells = _replaced(order.cells, changed, _nearest(order, new, item_only[changed]), len(item_vectors))
    # A cell may have lost its last item.
    cells = np.unique(cells, return_inverse=True)[1].astype(np.int32)
    return by_cell(by_row, item_only, cells, order.weights, probed=order.probed, least_length=order.least_length)


def _replaced(values: NDArray[Number], rows: Rows, new: NDArray[Number], n: int) -> NDArray[Number]:
    """Returns n values, those of some rows replaced by new ones."""
    result = np.empty((n, *values.shape[1:]), values.dtype)
    result[: len(values)] = values
    result[rows] = new
    return result


def _nearest(order: CellOrder, view: SearchView, item_only: Floats) -> Rows:
    centres, width = order.centres, len(order.weights)
    middle = (centres.reaches[:width] + centres.reaches[width : 2 * width]).T * np.float32(0.5)
    means = points(centres.codes, centres.scales, middle, order.weights)
    return nearest_cells(points(view.codes, view.scales, item_only, order.weights), means)


def points(codes: Codes, scales: Floats, item_only: Floats, weights: Floats) -> Floats:
    """Returns items as points, whose distances say how different their scores are, float32 (m, r + o)."""
    return np.concatenate((codes * scales[:, None], item_only * weights), axis=1, dtype=np.float32)


def nearest_cells(items: Floats, means: Floats) -> Rows:
    """Returns the nearest of the means of c cells for each item, int32 (m,)."""
    of_cells = torch.from_numpy(means)
    halves = -(of_cells * of_cells).sum(1) / 2
    cells = np.empty(len(items), np.int32)
    for start in range(0, len(items), _ROWS_AT_ONCE):
        part = torch.from_numpy(items[start : start + _ROWS_AT_ONCE])
        cells[start : start + len(part)] = torch.addmm(halves, part, of_cells.T).argmax(1).numpy()
    return cells


def _centres(codes: Codes, scales: Floats, in_full: Floats, starts: Rows, counts: NDArray[np.intp]) -> Centres:
    """Returns the centres of cells of places."""
    columns, width = codes.shape[1], in_full.shape[1] - 1
    means = np.empty((len(counts), columns), np.float32)
    reaches = np.empty((2 * width + 1, len(counts)), np.float32)
    for cells, places in _parts_of(starts):
        items = codes[places] * scales[places, None]  # 0 at a place without an item
        firsts = (starts[cells] - starts[cells.start]) * BLOCK_ROWS
        means[cells] = np.add.reduceat(items, firsts) / counts[cells, None]
        squares = np.add.reduceat(np.einsum("mr,mr->m", items, items), firsts) / counts[cells]
        variances = np.maximum(squares - np.einsum("cr,cr->c", means[cells], means[cells]), 0)
        reaches[-1, cells] = REACH_DEVIATIONS * np.sqrt(variances / columns)
        empty = in_full[places, -1:]  # -inf at a place without an item
        reaches[:width, cells] = np.maximum.reduceat(in_full[places, :-1] + empty, firsts).T
        reaches[width:-1, cells] = np.minimum.reduceat(in_full[places, :-1] - empty, firsts).T
    return Centres(*row_codes(means), reaches)


def _parts_of(starts: Rows) -> Iterator[tuple[slice, slice]]:
    """Yields some cells at a time, and their places."""
    cells_at_once = 1_024
    for first in range(0, len(starts) - 1, cells_at_once):
        last = min(first + cells_at_once, len(starts) - 1)
        yield slice(first, last), slice(int(starts[first]) * BLOCK_ROWS, int(starts[last]) * BLOCK_ROWS)
