"""The NDCG of validation users whose candidates have cached scores, for one score or along one weight.

The place of a target is the number of candidates that score as much: counting takes a quarter of the time of finding
the best. Along one weight, everything else is summed up once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats

CUT = 10  # places of a list that are looked at
SCORES_AT_ONCE = 65_536  # that stay in the processor's cache


def ndcg_of(
    scores: Floats, is_target: NDArray[np.bool_], users: NDArray[np.intp], targets: NDArray[np.intp], cut: int = CUT
) -> NDArray[np.float64]:
    """The NDCG of each validation user, (u,), when candidates are ranked by these scores. Ties count against targets.

    Args:
        scores: float32 (h, p).
        is_target: bool (h, p).
        users: The places of the h users who have scores among the u users, ascending. The others have 0.
        targets: int (u,), how many targets each user has.
        cut: Places of a list that count.
    """
    return ndcg_along(scores, scores, (0.0,), is_target, users, targets, cut=cut)[0]


def ndcg_along(
    others: Floats,
    column: Floats,
    weights: Sequence[float],
    is_target: NDArray[np.bool_],
    users: NDArray[np.intp],
    targets: NDArray[np.intp],
    *,
    cut: int = CUT,
) -> list[NDArray[np.float64]]:
    """The same as `ndcg_of` for others + weight * column, for each weight.

    Args:
        others: float32 (h, p).
        column: float32 (h, p).
        weights: Of the column.
        is_target: As in `ndcg_of`, and so are the others.
        users: The places of the h users.
        targets: How many targets each user has.
        cut: Places of a list that count.
    """
    rows, places = np.nonzero(is_target)
    ranks = np.empty((len(weights), len(rows)), np.intp)
    step = max(1, SCORES_AT_ONCE // max(1, others.shape[1]))
    for start in range(0, len(others), step):
        part = slice(start, start + step)
        pairs = slice(*np.searchsorted(rows, (start, start + step)))
        user, place = rows[pairs] - start, places[pairs]
        one_each = np.array_equal(user, np.arange(len(others[part])))
        for rank, weight in zip(ranks, weights, strict=True):
            scores = others[part] + np.float32(weight) * column[part] if weight else others[part]
            of_target = scores[user, place][:, None]
            as_good = (scores if one_each else scores[user]) >= of_target
            # Bits are counted in half the time of sum().
            rank[pairs] = np.bitwise_count(np.packbits(as_good, axis=1)).sum(axis=1, dtype=np.intp) - 1
    discounts = 1 / np.log2(np.arange(2, cut + 2))
    ideal = np.cumsum(discounts)[np.minimum(targets[users], cut) - 1]
    gains = np.append(discounts, 0.0)[np.minimum(ranks, cut)]
    results = []
    for gain in gains:
        ndcg = np.zeros(len(targets))
        ndcg[users] = np.bincount(rows, gain, len(users)) / ideal
        results.append(ndcg)
    return results
