"""Groups the items of a very large shop into cells of similar ones, for the search: k-means in two steps."""

import numpy as np
import torch

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.search_cells import nearest_cells, points
from recsvc.model.search_views import SearchView

# Larger cells mean that more items are read for the same recall, smaller ones that more means are. With a million items
# in cells of 32 both take as long.
CELL_ITEMS = 32
# The means of more cells would take longer to scan than the items that are read.
MOST_CELLS = 65_536
_ROUNDS = 6
_SAMPLE_A_CELL = 64  # items that means are fitted on


def cells_of(view: SearchView, item_only: Floats, weights: Floats, seed: int = 0) -> Rows:
    """Returns the cell of each of n items, int32 (n,). No cell is empty.

    The items are first grouped into few groups, and each group into its cells: with all cells at once, each item would
    be compared with each cell.

    Args:
        view: Of the items, by row.
        item_only: Their item-only columns, float32 (n, o).
        weights: How much each of these columns counts beside a shortened one, float32 (o,).
        seed: Of the random choices.
    """
    rng = np.random.default_rng(seed)
    items = points(view.codes, view.scales, item_only, weights)
    count = min(-(-len(items) // CELL_ITEMS), MOST_CELLS)
    groups = nearest_cells(items, _means(items, round(count**0.5), rng))
    cells = np.empty(len(items), np.int32)
    n_cells = 0
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        members = items[rows]
        means = _means(members, max(1, round(count * len(rows) / len(items))), rng)
        cells[rows] = n_cells + nearest_cells(members, means)
        n_cells += len(means)
    return np.unique(cells, return_inverse=True)[1].astype(np.int32)


def _means(items: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Returns the means of `count` groups of items, found on a sample, float32 (count, columns)."""
    sample = items[rng.permutation(len(items))[: count * _SAMPLE_A_CELL]]
    means = sample[:count].copy()
    for _ in range(_ROUNDS):
        groups = torch.from_numpy(nearest_cells(sample, means)).long()
        counts = torch.bincount(groups, minlength=len(means)).float().numpy()
        sums = torch.zeros(means.shape).index_add_(0, groups, torch.from_numpy(sample)).numpy()
        # A group without items takes the place of one that is there: it stays empty, or shares that one's items.
        means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], means)
    return means
