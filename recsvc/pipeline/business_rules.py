"""Applies the shop's rules to a ranking: boosts, caps, diversity and pins. Arrays only.

Diversity is maximal marginal relevance (Carbonell and Goldstein, "The use of MMR", SIGIR 1998).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows, VectorsByRow
from recsvc.ranking import Ranking

Mask = NDArray[np.bool_]


class Caps:
    """Counts how many items of each brand or category a slate has, against limits.

    Args:
        limits: For each kind of cap, the code of every row, int32 (n,), -1 for none, and the most items of one code.
            An item without a code is never capped.
    """

    def __init__(self, limits: Sequence[tuple[Rows, int]]) -> None:
        self._limits = limits
        self._counts = [Counter[int]() for _ in limits]

    def add(self, row: int) -> None:
        """Counts an item that was added to the slate."""
        for (codes, _), counts in zip(self._limits, self._counts, strict=True):
            counts[int(codes[row])] += 1

    def reached(self, rows: Rows) -> Mask:
        """Returns for which rows a limit is reached, bool (m,)."""
        reached = np.zeros(len(rows), np.bool_)
        for (codes, limit), counts in zip(self._limits, self._counts, strict=True):
            full_codes = [code for code, count in counts.items() if count >= limit and code >= 0]
            reached |= np.isin(codes[rows], full_codes)
        return reached


def boost(ranking: Ranking, boosts: Sequence[tuple[Mask, float]], k: int) -> Ranking:
    """Returns the ranking with the scores of some items raised or lowered.

    Args:
        ranking: Best first.
        boosts: Which rows each boost concerns, bool (n,), and its strength, -1 to 1. A strength of 1 adds the distance
            between the best score and the one after the k-th.
        k: The length of the slate.
    """
    if not boosts or not len(ranking.rows):
        return ranking
    scores = ranking.scores.copy()
    distance = scores[0] - scores[min(k, len(scores) - 1)]
    for mask, strength in boosts:
        scores[mask[ranking.rows]] += np.float32(strength) * distance
    order = np.argsort(-scores, kind="stable")
    return Ranking(ranking.rows[order], scores[order])


def cap_and_diversify(ranking: Ranking, k: int, caps: Caps, diversity: float, vectors: VectorsByRow) -> Ranking:
    """Returns at most k items of the ranking in the order of the slate, and counts them in `caps`.

    The two rules are applied together, item by item. The next item is the best, among those for which no cap is
    reached, by (1 - diversity) * score - diversity * similarity. The score is scaled to 0 to 1 within the ranking. The
    similarity is the largest cosine with an item that was picked before.

    Args:
        ranking: Best first.
        k: The most items to return.
        caps: The limits, and what the slate has already.
        diversity: 0 to 1; at 0 the order of the ranking stays.
        vectors: float32 (n, d), unit rows, read by row.
    """
    rows, scores = ranking
    if not len(rows):
        return ranking
    relevance = (1 - diversity) * (scores - scores.min()) / max(float(np.ptp(scores)), 1e-12)
    ranked_vectors = vectors[rows] if diversity else None
    similarity = np.full(len(rows), -1.0, np.float32) if diversity else np.zeros(len(rows), np.float32)
    unpicked = np.ones(len(rows), np.bool_)
    picked: list[int] = []
    while len(picked) < k:
        candidates = np.flatnonzero(unpicked & ~caps.reached(rows))
        if not len(candidates):
            break
        values = relevance[candidates] - diversity * similarity[candidates]
        best = int(candidates[np.argmax(values)])
        picked.append(best)
        unpicked[best] = False
        caps.add(int(rows[best]))
        if ranked_vectors is not None:
            similarity = np.maximum(similarity, ranked_vectors @ ranked_vectors[best])
    return Ranking(rows[picked], scores[picked])


def pin(ranking: Ranking, pins: Sequence[tuple[int, Ranking]]) -> Ranking:
    """Returns the ranking with other items inserted at fixed positions.

    Args:
        ranking: Without the pinned items.
        pins: Ascending positions, 1 being the first, each with a ranking of one item.
    """
    rows, scores = ranking
    for position, (row, score) in pins:
        place = min(position - 1, len(rows))
        rows, scores = np.insert(rows, place, row), np.insert(scores, place, score)
    return Ranking(rows, scores)
