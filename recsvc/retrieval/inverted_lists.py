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
from recsvc.model.cell_order import BLOCK_ROWS, Codes
from recsvc.model.search_views import SearchView
from recsvc.ranking import Ranking
from recsvc.retrieval.index import Mask, candidates_for, penalties, query_codes

# Of a selection of at most this share of the items, each is scored, wherever it stands. That costs three times as much
# an item, and finds all of them.
FEW_SHARE = 1 / 16
# If the best cells have less than this share of the items that are to be read, the selection is elsewhere.
ENOUGH_SHARE = 0.5

Places = NDArray[np.int64]


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
    """Places that were scored. scores: of each of `places`, float32 (m,); -inf if it has no item."""

    places: Places
    scores: torch.Tensor

    @property
    def count(self) -> int:
        """How many items they have."""
        return int((self.scores > float("-inf")).sum())


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
        self._codes, self._scales, self._in_full = view.codes, view.scales, order.in_full
        centres = order.centres
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # arrays may be mapped read-only
            self._centres = [torch.from_numpy(array) for array in (centres.codes, centres.scales, centres.in_full)]
            self._all = [torch.from_numpy(array) for array in (view.codes, view.scales, order.in_full)]
        self._items_read = self._n * self._probed // (len(order.starts) - 1)

    def bytes_read(self) -> int:
        """Returns how much memory a search of one vector reads."""
        return (len(self._starts) - 1 + self._items_read) * self._codes.shape[1]

    def search(
        self, shortened: Floats, item_only: Floats, k: int, masks: Sequence[Mask | None], bonuses: Sequence[Ranking]
    ) -> list[Rows]:
        """Returns for each vector some rows that contain its k best; see `recsvc.retrieval.index.ItemIndex.search`.

        Args:
            shortened: The vectors, float32 (b, r).
            item_only: Their item-only columns, float32 (b, o).
            k: How many of the best rows must be among those returned.
            masks: For each vector, bool (n,), or None for all rows.
            bonuses: For each vector, what is added to the scores of some rows.
        """
        # Scores are in units of `steps`, so that the products need not be multiplied by them.
        queries, steps = query_codes(shortened)
        codes, scales, in_full = self._centres
        products = torch._int_mm(queries, codes.T)  # noqa: SLF001  torch has no public name
        results = []
        for place, step in enumerate(steps):
            own, length = item_only[place] / step, float(np.linalg.norm(shortened[place]))
            weights = np.concatenate((np.maximum(own, 0), np.minimum(own, 0), [length / step]), dtype=np.float32)
            of_cells = torch.addmv(products[place] * scales, in_full, torch.from_numpy(weights))
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
        elif of_cells is None:
            items = self._of_all(query)
        else:
            items = self._of_cells(query, of_cells, min(self._probed * self._n // allowed, len(of_cells)))
            if items.count < min(allowed, max(width, self._items_read * ENOUGH_SHARE)):
                items = self._of_all(query)
        if len(query.bonus.rows):
            items = self._with_bonus(query, items)
        scores = items.scores
        best = scores.topk(min(width, len(scores)), sorted=False)
        places = items.places[best.indices[best.values > float("-inf")].numpy()]
        return self._rows[places]

    def _of_cells(self, query: _Query, of_cells: torch.Tensor, cells: int) -> _Items:
        """Scores the items of the best cells that may be found."""
        best = np.sort(of_cells.topk(cells, sorted=False).indices.numpy())
        starts, counts = self._starts[best], self._starts[best + 1] - self._starts[best]
        blocks = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        places = (blocks[:, None] * BLOCK_ROWS + np.arange(BLOCK_ROWS)).ravel()
        arrays = (_blocks(self._codes, blocks), _blocks(self._scales, blocks), _blocks(self._in_full, blocks))
        return self._allowed(query, _Items(places, _scores(query, *map(torch.from_numpy, arrays))))

    def _of_all(self, query: _Query) -> _Items:
        """Scores all items that may be found."""
        return self._allowed(query, _Items(np.arange(len(self._rows)), _scores(query, *self._all)))

    def _of_selection(self, query: _Query, mask: Mask) -> _Items:
        """Scores the items of a mask, and no others."""
        places = np.sort(self._places[np.flatnonzero(mask)]).astype(np.int64)
        return _Items(places, self._scores_of(query, places))

    def _scores_of(self, query: _Query, places: Places) -> torch.Tensor:
        arrays = (array.take(places, axis=0) for array in (self._codes, self._scales, self._in_full))
        return _scores(query, *map(torch.from_numpy, arrays))

    def _allowed(self, query: _Query, items: _Items) -> _Items:
        """Takes the places whose items may be found."""
        if query.mask is None:
            return items
        allowed = np.flatnonzero(query.mask[self._rows[items.places]])
        return _Items(items.places[allowed], items.scores[torch.from_numpy(allowed)])

    def _with_bonus(self, query: _Query, items: _Items) -> _Items:
        """Adds the rows that have a bonus, with it. Their cells need not be among the best."""
        gaining = self._places[query.bonus.rows].astype(np.int64)
        scores = self._scores_of(query, gaining) + torch.from_numpy(query.bonus.scores)
        if query.mask is not None:
            scores += penalties(query.mask[query.bonus.rows])
        if len(items.places):
            at = np.minimum(items.places.searchsorted(gaining), len(items.places) - 1)
            items.scores[torch.from_numpy(at[items.places[at] == gaining])] = float("-inf")
        return _Items(np.concatenate((items.places, gaining)), torch.cat((items.scores, scores)))


def _scores(query: _Query, codes: torch.Tensor, scales: torch.Tensor, in_full: torch.Tensor) -> torch.Tensor:
    """Returns the scores of m items in steps of the query's codes, without bonuses, float32 (m,)."""
    product = torch._int_mm(query.codes, codes.T)[0]  # noqa: SLF001  torch has no public name
    return torch.addmv(product * scales, in_full, query.in_full)


def _blocks(array: Floats | Codes, blocks: Places) -> Floats | Codes:
    """Copies some blocks of an array, (p, ...), as (m, ...)."""
    width = BLOCK_ROWS * int(np.prod(array.shape[1:]))
    return array.reshape(-1, width).take(blocks, axis=0).reshape(-1, *array.shape[1:])
