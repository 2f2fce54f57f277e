"""Neighbours: the items that people buy soon after an item, and those with its words, kept exactly for each item.

The vectors of the blocks are summaries of low rank: they know which kinds of items go together, and blur which single
items do. So each item keeps the few items that follow it most, with a weight each (item-to-item rows, as in Sarwar et
al., "Item-based collaborative filtering", 2001, but directed in time). The rows of a user's newest items are added up,
and the sum has length 1, like the blocks of the user vector. It is one more block, with a column for each item, of which
few are not zero.
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
        weight: Of the block in score units, tuned on validation. 0 turns it off.
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
        gains = self.weights[newest].astype(np.float32) * _decays(len(newest), config.decay)[:, None]
        positive = gains > 0
        rows, gains = self.rows[newest][positive], gains[positive]
        if not len(rows):
            return NOTHING
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        first = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
        sums = np.add.reduceat(gains[order], first)
        return Ranking(rows[first], np.asarray(config.weight * sums / np.linalg.norm(sums), np.float32))

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
        neighbours = self.rows[newest]
        columns, places = np.unique(np.append(neighbours, rows), return_inverse=True)
        places, wanted = places[: neighbours.size].reshape(neighbours.shape), places[neighbours.size :]
        weights = np.zeros((len(newest), len(columns)), np.float32)
        # No item has a neighbour twice; the places of NO_ROW have weight 0.
        np.put_along_axis(weights, places, self.weights[newest].astype(np.float32), axis=1)
        is_left_out = left_out_rows[:, None] == newest
        newer = np.arange(len(newest)) - np.cumsum(is_left_out, axis=1)
        decays = np.append(_decays(NEWEST_ITEMS, config.decay), np.float32(0))
        counts = np.where(is_left_out, np.float32(0), decays[np.minimum(newer, NEWEST_ITEMS)])
        lengths = np.sqrt(np.maximum(np.einsum("lm,mn,ln->l", counts, weights @ weights.T, counts), 1e-20))
        return np.asarray(config.weight * (counts @ weights[:, wanted]) / lengths[:, None], np.float32)


def newest_items(sequence: Rows, n: int = NEWEST_ITEMS) -> Rows:
    """Returns the n newest distinct items of a history, the newest first."""
    newest_first = sequence[::-1]
    _, first = np.unique(newest_first, return_index=True)
    return newest_first[np.sort(first)[:n]]


def _decays(n: int, decay: float) -> Floats:
    """Returns how much each of the n newest items counts, the newest first."""
    return np.asarray(decay ** np.arange(n), np.float32)
