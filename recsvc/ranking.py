"""Ranks by score: the one function that evaluation and serving share, on arrays alone.

The surfaces that rank by a vector call `rank`. Popular, trending and buy-again never do: their order is known before
(`recsvc.retrieval.scorers.FixedOrderScorer`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES, Floats, Rows, VectorsByRow


class Ranking(NamedTuple):
    """Items in an order, usually the best first.

    Attributes:
        rows: int32 (m,).
        scores: float32 (m,).
    """

    rows: Rows
    scores: Floats

    def score_of(self, row: int) -> float:
        """Returns the score of one item; 0 for an item that is not there."""
        return float(self.scores[self.rows == row].sum())


NOTHING = Ranking(NO_ROWS, NO_SCORES)

# Scores closer than this count as equal: products of different shapes round the same inner product differently.
SCORE_TOLERANCE = 1e-5


def rank(
    user_vector: Floats,
    item_vectors: VectorsByRow,
    candidates: Rows,
    k: int,
    excluded_rows: Rows = NO_ROWS,
    bonus: Ranking = NOTHING,
) -> Ranking:
    """Returns the k best items for one user, among the candidates and the items with a bonus.

    The score is always the full inner product, whatever the index searched with, plus the bonus of the item. An item
    whose score is not finite is left out. Equal scores are ordered by row, so the same input gives the same list.

    The result is the exact best k of all items in three cases: `candidates` holds all items; or it holds the
    k + len(excluded_rows) best by score, and `bonus` the bonus of each candidate (`among`); or it holds as many of the
    best by inner product, and `bonus` holds every bonus, none of which is negative.

    Args:
        user_vector: float32 (d,).
        item_vectors: float32 (n, d), read by row.
        candidates: Rows in any order; duplicates are allowed.
        k: How many to return; fewer are returned if fewer may be ranked.
        excluded_rows: Rows that are never returned.
        bonus: Ascending rows, and what is added to the inner product of each.
    """
    # Methods of arrays, and no `np.append`: for the few rows of one page, numpy's functions cost more than their work.
    rows = np.concatenate((candidates, bonus.rows))
    rows.sort()
    allowed = np.ones(len(rows), np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=allowed[1:])
    if len(excluded_rows):
        allowed &= ~is_among(rows, excluded_rows)
    rows = rows[allowed]
    scores = item_vectors[rows] @ user_vector
    if len(bonus.rows):
        scores += values_of(rows, bonus.rows, bonus.scores)
    finite = np.isfinite(scores)
    if not finite.all():
        rows, scores = rows[finite], scores[finite]
    # `rows` ascends, so a stable sort leaves equal scores in row order.
    best = (-scores).argsort(kind="stable")[:k]
    return Ranking(rows[best], scores[best])


def is_among(rows: Rows, others: Rows) -> NDArray[np.bool_]:
    """Returns which rows are among some others, which may be in any order and have duplicates, bool (p,)."""
    return _positions(rows, np.sort(others))[1] if len(others) else np.zeros(len(rows), np.bool_)


def among(bonus: Ranking, rows: Rows) -> Ranking:
    """Returns the part of a bonus that some rows have. The rows may be in any order, and have duplicates."""
    if not len(bonus.rows):
        return bonus
    places, known = _positions(rows, bonus.rows)
    kept = np.zeros(len(bonus.rows), np.bool_)
    kept[places[known]] = True
    return Ranking(bonus.rows[kept], bonus.scores[kept])


def values_of(rows: Rows, known_rows: Rows, values: Floats | NDArray[np.int32]) -> Floats:
    """Returns the value of each row, 0 for unknown rows, float32 (..., p).

    Args:
        rows: The p rows.
        known_rows: Ascending rows that have a value.
        values: Of each of `known_rows`, along the last axis.
    """
    if not len(known_rows):
        return np.zeros((*values.shape[:-1], len(rows)), np.float32)
    places, known = _positions(rows, known_rows)
    return np.where(known, values[..., places], np.float32(0)).astype(np.float32, copy=False)


def _positions(rows: Rows, sorted_rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Returns the place of each row in `sorted_rows`, and whether it is there.

    `sorted_rows` ascends and is not empty. numpy's `isin` costs several times as much for the few rows of one page.
    """
    places = sorted_rows.searchsorted(rows)
    np.minimum(places, len(sorted_rows) - 1, out=places)
    return places, sorted_rows[places] == rows
