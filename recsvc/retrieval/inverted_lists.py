"""Finds the best items by reading few of them: the cells whose items may be the best (`recsvc.model.search_cells`).

A scan of a million shortened items takes milliseconds for each vector. Here the means of their cells are scanned, and
then the items of the best cells. Of a selection, as many items are read as without one. If the best cells have too few
of it, all items are scanned. So a list is never short while enough items match.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.model.cell_order import BLOCK_ROWS
from recsvc.model.search_views import SearchView
from recsvc.ranking import Ranking
from recsvc.retrieval.index import Mask, candidates_for, penalties, query_codes

# Of a selection of at most this share of the items, each is scored, wherever it stands. That costs three times as much
# an item, and finds all of them.
FEW_SHARE = 1 / 16
# To read more of the cells than this takes as long as to scan all items, one after the other.
MOST_CELLS_SHARE = 1 / 10
# If the best cells have less than this share of the items that are to be read, the selection is elsewhere.
ENOUGH_SHARE = 0.5

Places = NDArray[np.int32] | NDArray[np.int64]


@dataclass(frozen=True)
class _Query:
    """One vector that is looked for.

    Attributes:
        codes: int8 (1, r).
        in_full: float32 (o + 1,), in steps of the codes: for the item-only columns; and 1 for the last one.
        mask: bool (n,), which rows may be found; None for all.
        bonus: What is added to the scores of some rows, in steps of the codes.
    """

    codes: torch.Tensor
    in_full: torch.Tensor
    mask: Mask | None
    bonus: Ranking


@dataclass(frozen=True)
class _Items:
    """Runs of places that were scored.

    Attributes:
        starts: The first place of each of m runs, ascending.
        length: Of each run.
        scores: float32 (m * length,), of the places run by run; -inf for those that may not be found.
    """

    starts: Places
    length: int
    scores: torch.Tensor

    @property
    def count(self) -> int:
        """How many items may be found."""
        return int((self.scores > float("-inf")).sum())

    def places(self, at: Places) -> Places:
        """Returns the places of some of the scores."""
        return self.starts[at // self.length] + at % self.length

    def exclude(self, places: Places) -> None:
        """Sets the scores of those of some places that are here to -inf."""
        runs = self.starts.searchsorted(places, side="right") - 1
        offsets = places - self.starts[runs]  # of a place before the first run: negative, or too large
        here = (offsets >= 0) & (offsets < self.length)
        self.scores.numpy()[runs[here] * self.length + offsets[here]] = -np.inf


class InvertedLists:
    """Searches one view whose items stand by cell.

    Args:
        view: Of n items.
    """

    def __init__(self, view: SearchView) -> None:
        assert view.order is not None  # noqa: S101  see above
        order = view.order
        self._rows, self._places, self._starts = order.rows, order.places, order.starts
        self._n, self._probed, self._least_length = len(order.places), order.probed, order.least_length
        self._arrays = view.codes, view.scales, order.in_full
        self._blocks = [array.reshape(len(array) // BLOCK_ROWS, -1) for array in self._arrays]
        centres = order.centres
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # arrays may be mapped read-only
            self._centres = [torch.from_numpy(array) for array in (centres.codes, centres.scales, centres.reaches)]
            self._all = [torch.from_numpy(array) for array in self._arrays]
        self._items_read = self._n * self._probed // (len(order.starts) - 1)

    def bytes_read(self) -> int:
        """See `recsvc.retrieval.shortened_scan.ViewSearch.bytes_read`."""
        return (len(self._starts) - 1 + self._items_read) * int(self._arrays[0].shape[1])

    def search(
        self, shortened: Floats, item_only: Floats, k: int, masks: Sequence[Mask | None], bonuses: Sequence[Ranking]
    ) -> list[Rows]:
        """See `recsvc.retrieval.shortened_scan.ViewSearch.search`."""
        # Scores are in units of `steps`, so that the products need not be multiplied by them.
        queries, steps = query_codes(shortened)
        codes, scales, reaches = self._centres
        products = torch._int_mm(queries, codes.T)  # noqa: SLF001  torch has no public name
        results = []
        for place, step in enumerate(steps):
            own, length = item_only[place] / step, float(np.linalg.norm(shortened[place]))
            weights = np.concatenate((np.maximum(own, 0), np.minimum(own, 0), [length / step]), dtype=np.float32)
            of_cells = products[place] * scales
            of_cells[None].addmm_(torch.from_numpy(weights[None]), reaches)
            bonus = Ranking(bonuses[place].rows, bonuses[place].scores / step)
            in_steps = torch.from_numpy(np.append(own, np.float32(1)))
            query = _Query(queries[place : place + 1], in_steps, masks[place], bonus)
            results.append(self._best(query, of_cells if length >= self._least_length else None, k))
        return results

    def _best(self, query: _Query, of_cells: torch.Tensor | None, k: int) -> Rows:
        """Returns the candidates. of_cells: how far each cell reaches, float32 (c,); None to score all items."""
        width, mask = candidates_for(k, self._n), query.mask
        allowed = self._n if mask is None else int(np.count_nonzero(mask))
        if not allowed:
            return NO_ROWS
        if mask is not None and allowed <= self._n * FEW_SHARE:
            items = self._of_selection(query, mask)
        elif of_cells is None or self._probed * self._n > MOST_CELLS_SHARE * allowed * len(of_cells):
            items = self._of_all(query)
        else:
            items = self._of_cells(query, of_cells, self._probed * self._n // allowed)
            if items.count < min(allowed, max(width, self._items_read * ENOUGH_SHARE)):
                items = self._of_all(query)
        gaining = self._places[query.bonus.rows]
        scores = items.scores
        if len(gaining):  # whose cells need not be among the best
            items.exclude(gaining)
            scores = torch.cat((scores, self._with_bonus(query, gaining)))
        best = scores.topk(min(width, len(scores)), sorted=False)
        at = best.indices[best.values > float("-inf")].numpy()
        n_others = len(items.scores)
        others = items.places(at[at < n_others])
        return np.asarray(self._rows[np.concatenate((others, gaining[at[at >= n_others] - n_others]))])

    def _of_cells(self, query: _Query, of_cells: torch.Tensor, cells: int) -> _Items:
        """Scores the items of the best cells that may be found."""
        best = np.sort(of_cells.topk(cells, sorted=False).indices.numpy())
        starts, counts = self._starts[best], self._starts[best + 1] - self._starts[best]
        blocks = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        codes, scales, in_full = (torch.from_numpy(array.take(blocks, axis=0)) for array in self._blocks)
        size = len(blocks) * BLOCK_ROWS
        scores = _scores(query, codes.view(size, -1), scales.view(-1), in_full.view(size, -1))
        if query.mask is not None:
            rows = self._rows.reshape(-1, BLOCK_ROWS).take(blocks, axis=0).ravel()
            scores += penalties(query.mask.take(rows))  # whatever it says of a place without an item, whose row is -1
        return _Items(blocks * BLOCK_ROWS, BLOCK_ROWS, scores)

    def _of_all(self, query: _Query) -> _Items:
        """Scores all items that may be found."""
        scores = _scores(query, *self._all)
        if query.mask is not None:
            scores += penalties(query.mask.take(self._rows))
        return _Items(np.zeros(1, np.int64), len(scores), scores)

    def _of_selection(self, query: _Query, mask: Mask) -> _Items:
        """Scores the items of a mask, and no others."""
        places = np.sort(self._places.take(np.flatnonzero(mask)))
        return _Items(places, 1, self._scores_of(query, places))

    def _with_bonus(self, query: _Query, places: Places) -> torch.Tensor:
        """Returns the scores of the items that have a bonus, with it."""
        scores = self._scores_of(query, places) + torch.from_numpy(query.bonus.scores)
        if query.mask is not None:
            scores += penalties(query.mask[query.bonus.rows])
        return scores

    def _scores_of(self, query: _Query, places: Places) -> torch.Tensor:
        arrays = (array.take(places, axis=0) for array in self._arrays)
        return _scores(query, *map(torch.from_numpy, arrays))


def _scores(query: _Query, codes: torch.Tensor, scales: torch.Tensor, in_full: torch.Tensor) -> torch.Tensor:
    """Returns the scores of m items in steps of the query's codes, without bonuses, float32 (m,)."""
    product = torch._int_mm(query.codes, codes.T)[0]  # noqa: SLF001  torch has no public name
    return torch.addmv(product * scales, in_full, query.in_full)
