"""Neighbours: the items that people buy soon after an item, kept exactly, and added to the inner product.

The vectors of the blocks are a summary of low rank: they know which kinds of items go together, and blur which single
items do. So each item keeps the few items that follow it most, with a weight each (sparse item-to-item rows, as in
Sarwar et al., "Item-based collaborative filtering", 2001, but directed in time). An item gains from each of the user's
newest items whose neighbour it is. The gain is a sum over the history, so that what one item of the history adds to a
score is exact, too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.ranking import NOTHING, Ranking

NO_ROW = -1
# The newest distinct items of a history that count. With a typical decay, older ones count next to nothing.
NEWEST_ITEMS = 20


@dataclass(frozen=True)
class NeighbourConfig:
    """How neighbours count.

    Attributes:
        weight: Of the gains in score units, tuned on validation. 0 turns them off.
        decay: Factor by which each newer item of the history lowers the weight of an item, 0 to 1.
    """

    weight: float = 0.0
    decay: float = 0.8


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of each of n items.

    Attributes:
        rows: int32 (n, m), rows of other items; NO_ROW for none.
        weights: float16 (n, m), how much each counts, 0 or more.
    """

    rows: Rows
    weights: NDArray[np.float16]

    def of_history(self, sequence: Rows, config: NeighbourConfig) -> Ranking:
        """Returns what items gain because they are neighbours of a user's newest items.

        Args:
            sequence: Items of the history, the oldest first; see `WeightedHistory.sequence`.
            config: Weight and decay.

        Returns:
            Ascending rows, and the gain of each in score units, above 0.
        """
        if not config.weight or not len(sequence):
            return NOTHING
        newest = newest_items(sequence)
        gains = self.weights[newest].astype(np.float32) * _decays(len(newest), config)[:, None]
        positive = gains > 0
        rows, gains = self.rows[newest][positive], gains[positive]
        if not len(rows):
            return NOTHING
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        first = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))  # noqa: FBT003  the first row begins a run
        return Ranking(rows[first], np.add.reduceat(gains[order], first))

    def left_out(self, sequence: Rows, left_out_rows: Rows, rows: Rows, config: NeighbourConfig) -> Floats:
        """Returns what items would gain without each of some items of the history, float32 (l, p).

        Args:
            sequence: As in `of_history`.
            left_out_rows: The l items that are left out one by one.
            rows: The p items that gain.
            config: Weight and decay.
        """
        if not config.weight or not len(sequence):
            return np.zeros((len(left_out_rows), len(rows)), np.float32)
        newest = newest_items(sequence, NEWEST_ITEMS + 1)  # the next older one moves up
        matches = self.rows[newest][:, :, None] == rows
        given = np.einsum("mk,mkp->mp", self.weights[newest].astype(np.float32), matches.astype(np.float32))
        is_left_out = left_out_rows[:, None] == newest
        places = np.arange(len(newest)) - np.cumsum(is_left_out, axis=1)
        decays = np.append(_decays(NEWEST_ITEMS, config), np.float32(0))
        counts = np.where(is_left_out, np.float32(0), decays[np.minimum(places, NEWEST_ITEMS)])
        return np.asarray(counts @ given, np.float32)

    def sources_of(self, row: int) -> Floats:
        """Returns how much an item counts as a neighbour of each item, float32 (n,)."""
        return np.asarray(np.where(self.rows == row, self.weights, np.float16(0)).sum(axis=1), np.float32)


def newest_items(sequence: Rows, n: int = NEWEST_ITEMS) -> Rows:
    """Returns the n newest distinct items of a history, the newest first."""
    newest_first = sequence[::-1]
    _, first = np.unique(newest_first, return_index=True)
    return newest_first[np.sort(first)[:n]]


def _decays(n: int, config: NeighbourConfig) -> Floats:
    """Returns how much each of the n newest items counts, in score units, the newest first."""
    return np.asarray(config.weight * config.decay ** np.arange(n), np.float32)
