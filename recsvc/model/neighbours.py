"""Neighbours: the items that people buy soon after an item, and those with its words, kept exactly for each item.

The vectors of the blocks are summaries of low rank: they know which kinds of items go together, and blur which single
items do. So each item keeps the few items that follow it most, with a weight each (item-to-item rows, as in Sarwar et
al., "Item-based collaborative filtering", 2001, but directed in time). The rows of a user's newest items are added up,
and the sum has length 1, like the blocks of the user vector. It is one more block, with a column for each item. Few
columns are not zero.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROW, NO_ROWS, Floats, Rows
from recsvc.model.text_links import TextLinks
from recsvc.ranking import NOTHING, Ranking

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
        rows: int32 (t, m), rows of other items for each item that training knew; NO_ROW for none.
        weights: float16 (t, m), how much each counts, 0 or more; 0 for NO_ROW.
        links: Of the n - t items that came after training; None before there was one.
    """

    rows: Rows
    weights: NDArray[np.float16]
    links: TextLinks | None = None

    def of_items(self, items: Rows) -> tuple[Rows, Floats]:
        """Returns the neighbours of p items and how much each counts, int32 and float32 (p, m).

        No item has a neighbour twice. NO_ROW has weight 0.
        """
        if self.links is None:
            return self.rows[items], self.weights[items].astype(np.float32)
        trained = (items < len(self.rows))[:, None]
        places = np.minimum(items, len(self.rows) - 1)
        rows = np.concatenate((np.where(trained, self.rows[places], NO_ROW), self.links.rows[items]), axis=1)
        weights = np.concatenate((self.weights[places] * trained, self.links.weights[items]), axis=1)
        return rows, weights.astype(np.float32)

    def items_with(self, row: int) -> NDArray[np.bool_]:
        """Returns which items have an item as a neighbour, bool (n,)."""
        having = np.asarray((self.rows == row).any(axis=1))
        if self.links is None:
            return having
        linked = np.asarray((self.links.rows == row).any(axis=1))
        linked[: len(having)] |= having
        return linked

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
        rows, weights = self.of_items(newest_items(sequence))
        columns, places = np.unique(rows.ravel(), return_inverse=True)
        gains = weights * _decays(len(rows), config.decay)[:, None]
        sums = np.bincount(places, gains.ravel(), len(columns))
        gaining = sums > 0
        if not gaining.any():
            return NOTHING
        scale = config.weight / np.sqrt(sums @ sums)
        return Ranking(columns[gaining], (scale * sums[gaining]).astype(np.float32))

    def left_out(self, sequence: Rows, left_out_rows: Rows, config: NeighbourConfig) -> tuple[Rows, Floats]:
        """Returns what items would gain without each of some items of the history.

        Args:
            sequence: As in `of_history`.
            left_out_rows: The l items that are left out one by one.
            config: Weight and decay.

        Returns:
            Ascending rows (c,), and the gain of each, float32 (l, c).
        """
        if not config.weight or not len(sequence):
            return NO_ROWS, np.zeros((len(left_out_rows), 0), np.float32)
        newest = newest_items(sequence, NEWEST_ITEMS + 1)  # the next older one moves up
        rows, weights = self.of_items(newest)
        columns, places = np.unique(rows.ravel(), return_inverse=True)
        by_column = np.zeros((len(newest), len(columns)), np.float32)
        by_column[np.arange(len(newest))[:, None], places.reshape(rows.shape)] = weights
        is_left_out = left_out_rows[:, None] == newest
        newer = np.arange(len(newest)) - np.cumsum(is_left_out, axis=1)
        decays = np.append(_decays(NEWEST_ITEMS, config.decay), np.float32(0))
        counts = np.where(is_left_out, np.float32(0), decays[np.minimum(newer, NEWEST_ITEMS)])
        sums = counts @ by_column
        lengths = np.sqrt(np.einsum("lc,lc->l", sums, sums))
        sums *= (np.float32(config.weight) / np.maximum(lengths, 1e-12))[:, None]
        return columns, sums


def newest_items(sequence: Rows, n: int = NEWEST_ITEMS) -> Rows:
    """Returns the n newest distinct items of a history, the newest first."""
    newest_first = sequence[::-1]
    _, first = np.unique(newest_first, return_index=True)
    return newest_first[np.sort(first)[:n]]


def _decays(n: int, decay: float) -> Floats:
    """Returns how much each of the n newest items counts, the newest first."""
    return np.asarray(decay ** np.arange(n), np.float32)
