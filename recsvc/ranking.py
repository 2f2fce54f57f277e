"""The one function that ranks. Evaluation and serving both call it, on arrays alone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES


class Ranking(NamedTuple):
    """rows: int32 (at most k,), best first. scores: float32, the same length."""

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]


NOTHING = Ranking(NO_ROWS, NO_SCORES)


def rank(
    user_vector: NDArray[np.float32],
    item_vectors: NDArray[np.float32],
    candidates: NDArray[np.int32],
    k: int,
    excluded_rows: NDArray[np.int32] = NO_ROWS,
    repeat_rows: NDArray[np.int32] = NO_ROWS,
    repeat_scores: NDArray[np.float32] = NO_SCORES,
) -> Ranking:
    """The k best of `candidates` and `repeat_rows` for one user.

    user_vector: (d,). item_vectors: (n, d). candidates: rows, in any order, doubles allowed. excluded_rows: never
    returned. repeat_rows, repeat_scores: distinct rows and what each gains over its inner product; they may be ranked
    even when they are not among the candidates.

    The score is always the full inner product, whatever the index searched with. Items whose score is not finite are
    left out; equal scores are ordered by row, so the same input gives the same list. Fewer than k come back when fewer
    may be ranked.

    When `candidates` holds the k + len(excluded_rows) best by inner product and repeat scores are 0 or more, the
    result is the exact best k of all items: an item outside both sets is beaten by k others.
    """
    rows = np.sort(np.concatenate((candidates, repeat_rows)))
    allowed = np.append(rows[:1] >= 0, rows[1:] != rows[:-1])
    if len(excluded_rows):
        allowed &= ~_found(rows, np.sort(excluded_rows))[1]
    rows = rows[allowed]
    scores = item_vectors[rows] @ user_vector
    if len(repeat_rows) and len(rows):
        places, ranked = _found(repeat_rows, rows)
        scores[places[ranked]] += repeat_scores[ranked]
    finite = np.isfinite(scores)
    if not finite.all():
        rows, scores = rows[finite], scores[finite]
    # `rows` ascends, so a stable sort leaves equal scores in row order.
    best = np.argsort(-scores, kind="stable")[:k]
    return Ranking(rows[best], scores[best])


def _found(wanted: NDArray[np.int32], among: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each of `wanted` stands in `among`, which ascends and is not empty, and whether it does. numpy's own `isin`
    costs several times as much for the few rows of one page.
    """
    places = np.minimum(np.searchsorted(among, wanted), len(among) - 1)
    return places, among[places] == wanted
