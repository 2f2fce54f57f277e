"""Ranks by score: the one function that evaluation and serving share, on arrays alone.

The surfaces that rank by a vector call `rank`. Popular, trending and buy-again never do: their order is known before
(`recsvc.retrieval.scorers.FixedOrderScorer`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES, Floats, Rows


class Ranking(NamedTuple):
    """Items in an order, usually the best first.

    Attributes:
        rows: int32 (m,).
        scores: float32 (m,).
    """

    rows: Rows
    scores: Floats


NOTHING = Ranking(NO_ROWS, NO_SCORES)

# Scores closer than this count as equal: products of different shapes round the same inner product differently.
SCORE_TOLERANCE = 1e-5


def rank(
    user_vector: Floats,
    item_vectors: Floats,
    candidates: Rows,
    k: int,
    excluded_rows: Rows = NO_ROWS,
    bonus: Ranking = NOTHING,
) -> Ranking:
    """Returns the k best items for one user.

    The score is always the full inner product, whatever the index searched with, plus the bonus of the item. Items whose
    score is not finite are left out. Equal scores are ordered by row, so the same input gives the same list.

    The result is the exact best k of all items if no bonus is negative, and if `candidates` holds the
    k + len(excluded_rows) best by inner product, or all items. Then an item that is not a candidate is not better by
    inner product than the k-th candidate, so only a large bonus can bring it into the list (the threshold algorithm of
    Fagin et al., 2001). No other inner product is computed.

    Args:
        user_vector: float32 (d,).
        item_vectors: float32 (n, d).
        candidates: Rows in any order; duplicates are allowed.
        k: How many to return; fewer are returned if fewer may be ranked.
        excluded_rows: Rows that are never returned.
        bonus: Ascending rows, and what is added to the inner product of each. They need not be candidates.
    """
    excluded = np.sort(excluded_rows)
    rows, scores, products = _scored(user_vector, item_vectors, _allowed(np.sort(candidates), excluded), bonus)
    if len(bonus.rows):
        others = bonus
        if len(rows):
            outside = ~_positions(bonus.rows, rows)[1]
            if len(rows) >= k:
                needed = np.partition(scores, -k)[-k] - np.partition(products, -k)[-k] - SCORE_TOLERANCE
                outside &= bonus.scores >= needed
            others = Ranking(bonus.rows[outside], bonus.scores[outside])
        more_rows, more_scores, _ = _scored(user_vector, item_vectors, _allowed(others.rows, excluded), others)
        rows, scores = np.append(rows, more_rows), np.append(scores, more_scores)
    best = np.lexsort((rows, -scores))[:k]
    return Ranking(rows[best], scores[best])


def _allowed(sorted_rows: Rows, sorted_excluded: Rows) -> Rows:
    """Returns each row once, without the excluded ones. Both ascend."""
    allowed = np.append(sorted_rows[:1] >= 0, sorted_rows[1:] != sorted_rows[:-1])
    if len(sorted_excluded):
        allowed &= ~_positions(sorted_rows, sorted_excluded)[1]
    rows: Rows = sorted_rows[allowed]
    return rows


def _scored(
    user_vector: Floats, item_vectors: Floats, rows: Rows, bonus: Ranking
) -> tuple[Rows, Floats, Floats]:
    """Returns the rows with a finite score, their scores, and the part of these that is the inner product."""
    products = item_vectors[rows] @ user_vector
    scores = products
    if len(bonus.rows) and len(rows):
        places, gains = _positions(rows, bonus.rows)
        scores = products + np.where(gains, bonus.scores[places], np.float32(0))
    finite = np.isfinite(scores)
    if not finite.all():
        return rows[finite], scores[finite], products[finite]
    return rows, scores, products


def _positions(rows: Rows, sorted_rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Returns the place of each row in `sorted_rows`, and whether it is there.

    `sorted_rows` ascends and is not empty. numpy's `isin` costs several times as much for the few rows of one page.
    """
    places = np.minimum(np.searchsorted(sorted_rows, rows), len(sorted_rows) - 1)
    return places, sorted_rows[places] == rows
