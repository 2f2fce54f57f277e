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


def rank(  # noqa: PLR0917  the last two are one bonus, which callers hold as a pair
    user_vector: Floats,
    item_vectors: Floats,
    candidates: Rows,
    k: int,
    excluded_rows: Rows = NO_ROWS,
    repeat_rows: Rows = NO_ROWS,
    repeat_scores: Floats = NO_SCORES,
) -> Ranking:
    """Returns the k best of `candidates` and `repeat_rows` for one user.

    The score is always the full inner product, whatever the index searched with. Items whose score is not finite are
    left out. Equal scores are ordered by row, so the same input gives the same list.

    If `candidates` holds the k + len(excluded_rows) best by inner product, and no repeat score is negative, the result
    is the exact best k of all items: an item outside both sets is beaten by k others.

    Args:
        user_vector: float32 (d,).
        item_vectors: float32 (n, d).
        candidates: Rows in any order; duplicates are allowed.
        k: How many to return; fewer are returned if fewer may be ranked.
        excluded_rows: Rows that are never returned.
        repeat_rows: Distinct rows that have a bonus. They may be ranked even if they are not candidates.
        repeat_scores: The bonus of each, which is added to its inner product.
    """
    rows = np.sort(np.concatenate((candidates, repeat_rows)))
    allowed = np.append(rows[:1] >= 0, rows[1:] != rows[:-1])
    if len(excluded_rows):
        allowed &= ~_positions(rows, np.sort(excluded_rows))[1]
    rows = rows[allowed]
    scores = item_vectors[rows] @ user_vector
    if len(repeat_rows) and len(rows):
        places, ranked = _positions(repeat_rows, rows)
        scores[places[ranked]] += repeat_scores[ranked]
    finite = np.isfinite(scores)
    if not finite.all():
        rows, scores = rows[finite], scores[finite]
    # `rows` ascends, so a stable sort leaves equal scores in row order.
    best = np.argsort(-scores, kind="stable")[:k]
    return Ranking(rows[best], scores[best])


def _positions(rows: Rows, sorted_rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Returns the place of each row in `sorted_rows`, and whether it is there.

    `sorted_rows` ascends and is not empty. numpy's `isin` costs several times as much for the few rows of one page.
    """
    places = np.minimum(np.searchsorted(sorted_rows, rows), len(sorted_rows) - 1)
    return places, sorted_rows[places] == rows
