"""Neighbours: the items that people buy soon after an item, and those with its words, kept exactly for each item.

The vectors of the blocks are summaries of low rank: they know which kinds of items go together, and blur which single
items do. So each item keeps the few items that follow it most, with a weight each (item-to-item rows, as in Sarwar et
al., "Item-based collaborative filtering", 2001, but directed in time). The rows of a user's newest items are added up,
and the sum has length 1, like the blocks of the user vector. It is one more block, with a column for each item. Few
columns are not zero.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROW, Floats, Rows
from recsvc.model.text_links import TextLinks
from recsvc.ranking import NOTHING, Ranking, values_of

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
        linked_rows, linked_weights = self.links.of_items(items)
        rows = np.concatenate((np.where(trained, self.rows[places], NO_ROW), linked_rows), axis=1)
        weights = np.concatenate((self.weights[places] * trained, linked_weights), axis=1)
        return rows, weights.astype(np.float32)

    def items_with(self, row: int) -> NDArray[np.bool_]:
        """Returns which items have an item as a neighbour, bool (n,)."""
        having = np.asarray((self.rows == row).any(axis=1))
        if self.links is None:
            return having
        with_links = np.zeros(self.links.n, np.bool_)
        with_links[: len(having)] = having
        for item, (rows, _) in self.links.linked.items():
            with_links[item] |= row in rows
        return with_links

    def of_newest(self, sequence: Rows) -> "NewestItems":
        """Reads the neighbours of a user's newest items.

        Args:
            sequence: Items of the history, the oldest first; see `WeightedHistory.sequence`.
        """
        newest = newest_items(sequence, NEWEST_ITEMS + 1)
        rows, weights = self.of_items(newest)
        columns, places = _distinct(rows.ravel())
        by_item = np.zeros((len(newest), len(columns)), np.float32)
        by_item[np.arange(len(newest))[:, None], places.reshape(rows.shape)] = weights
        return NewestItems(newest, columns, by_item)


@dataclass(frozen=True)
class NewestItems:
    """The newest items of a history and their neighbours.

    Attributes:
        rows: int32 (m,), distinct, the newest first. One more than counts: it moves up where another is left out.
        neighbours: int32 (c,), ascending, the neighbours of all of them. NO_ROW may be among them.
        weights: float32 (m, c), how much each neighbour counts for each item, 0 or more; 0 for NO_ROW.
    """

    rows: Rows
    neighbours: Rows
    weights: Floats

    def gains(self, config: NeighbourConfig) -> Ranking:
        """Returns what items gain as neighbours: ascending rows, and the gain of each in score units, above 0."""
        sums = _decays(config.decay)[: len(self.rows)] @ self.weights
        length = np.sqrt(sums @ sums)
        if not config.weight or not length:
            return NOTHING
        gaining = sums > 0
        return Ranking(self.neighbours[gaining], np.float32(config.weight) / length * sums[gaining])

    def gains_without(self, left_out_rows: Rows, rows: Rows, config: NeighbourConfig) -> Floats:
        """Returns what some items would gain without each of some items of the history.

        Args:
            left_out_rows: The l items of the history that are left out one by one.
            rows: The p items.
            config: Weight and decay.

        Returns:
            float32 (l, p).
        """
        is_left_out = left_out_rows[:, None] == self.rows
        newer = np.arange(len(self.rows)) - np.cumsum(is_left_out, axis=1)
        counts = np.where(is_left_out, np.float32(0), _decays(config.decay)[np.minimum(newer, NEWEST_ITEMS)])
        sums = counts @ self.weights
        lengths = np.sqrt(np.einsum("lc,lc->l", sums, sums))
        scales = np.float32(config.weight) / np.maximum(lengths, np.float32(1e-12))
        return np.asarray(values_of(rows, self.neighbours, sums) * scales[:, None], np.float32)


def newest_items(sequence: Rows, n: int = NEWEST_ITEMS) -> Rows:
    """Returns the n newest distinct items of a history, the newest first."""
    newest_first = sequence[::-1]
    _, first = np.unique(newest_first, return_index=True)
    return newest_first[np.sort(first)[:n]]


def _distinct(rows: Rows) -> tuple[Rows, NDArray[np.intp]]:
    """Returns distinct rows, ascending, and the place of each row among them: numpy's `unique` in half the time."""
    order = rows.argsort(kind="stable")
    ascending = rows[order]
    is_first = np.append(ascending[:1] == ascending[:1], ascending[1:] != ascending[:-1])
    places = np.empty(len(rows), np.intp)
    places[order] = np.cumsum(is_first) - 1
    return ascending[is_first], places


@lru_cache
def _decays(decay: float) -> Floats:
    """Returns how much each of the newest items counts, the newest first; 0 for the one that only moves up."""
    decays = np.append(decay ** np.arange(NEWEST_ITEMS), 0).astype(np.float32)
    decays.flags.writeable = False
    return decays
