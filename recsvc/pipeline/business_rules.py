"""The shop's rules on a ranking: which of it make the list, and in what order. Arrays alone.

Diversity is maximal marginal relevance (Carbonell and Goldstein, "The use of MMR", SIGIR 1998).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.ranking import Ranking


class Caps:
    """How many items of one brand or category a list may still take. codes: int32 (n,) each, -1 for none; an item
    without a code is never capped.
    """

    def __init__(self, limits: Sequence[tuple[Rows, int]]) -> None:
        self._limits = limits
        self._taken = [Counter[int]() for _ in limits]

    def take(self, row: int) -> None:
        for (codes, _), taken in zip(self._limits, self._taken, strict=True):
            taken[int(codes[row])] += 1

    def full(self, rows: Rows) -> NDArray[np.bool_]:
        """bool (m,): which of these there is no more room for."""
        full = np.zeros(len(rows), np.bool_)
        for (codes, limit), taken in zip(self._limits, self._taken, strict=True):
            spent = [code for code, count in taken.items() if count >= limit and code >= 0]
            full |= np.isin(codes[rows], spent)
        return full


def boosted(ranking: Ranking, boosts: Sequence[tuple[NDArray[np.bool_], float]], k: int) -> Ranking:
    """The ranking with some items' scores raised or lowered. boosts: bool (n,), which items, and how much, -1 to 1,
    of the distance between the best score and the one after the k-th.
    """
    if not boosts or not len(ranking.rows):
        return ranking
    scores = ranking.scores.copy()
    distance = scores[0] - scores[min(k, len(scores) - 1)]
    for chosen, strength in boosts:
        scores[chosen[ranking.rows]] += np.float32(strength) * distance
    order = np.argsort(-scores, kind="stable")
    return Ranking(ranking.rows[order], scores[order])


def pick(ranking: Ranking, k: int, caps: Caps, diversity: float, vectors: Floats) -> Ranking:
    """At most k items of the ranking, in the order of the list; what is picked is taken from the caps.

    Each is the best by (1 - diversity) * score - diversity * likeness, its score taken to 0 to 1 within the ranking,
    and its likeness being its largest cosine with those picked before. vectors: float32 (n, d), unit rows.
    """
    rows, scores = ranking
    if not len(rows):
        return ranking
    relevance = (1 - diversity) * (scores - scores.min()) / max(float(np.ptp(scores)), 1e-12)
    pool = vectors[rows] if diversity else None
    likeness = np.full(len(rows), -1.0, np.float32) if diversity else np.zeros(len(rows), np.float32)
    left = np.ones(len(rows), np.bool_)
    picked: list[int] = []
    while len(picked) < k:
        open_places = np.flatnonzero(left & ~caps.full(rows))
        if not len(open_places):
            break
        values = relevance[open_places] - diversity * likeness[open_places]
        place = int(open_places[np.argmax(values)])
        picked.append(place)
        left[place] = False
        caps.take(int(rows[place]))
        if pool is not None:
            likeness = np.maximum(likeness, pool @ pool[place])
    return Ranking(rows[picked], scores[picked])


def pinned(ranking: Ranking, pins: Sequence[tuple[int, Ranking]]) -> Ranking:
    """The ranking with others put into their places. pins: each place, 1 the first, ascending, and a ranking of one
    item, which is not in the ranking.
    """
    rows, scores = ranking
    for position, (row, score) in pins:
        place = min(position - 1, len(rows))
        rows, scores = np.insert(rows, place, row), np.insert(scores, place, score)
    return Ranking(rows, scores)
