"""What the surfaces rank by: the inner product with a vector, or an order that does not come from vectors."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.domain.shop import History
from recsvc.model.repeat_purchase import FEATURES, repeat_features, repeat_probabilities
from recsvc.ranking import NOTHING, Ranking, rank
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.item_snapshot import ItemSnapshot

# How much the user's own taste counts beside a cart.
OWN_TASTE = 0.25

# What the words that an item has of a query, and the user's taste, count beside the query's meaning, which counts 1
# (docs/experiments.md, "Searching").
WORDS_WEIGHT, TASTE_WEIGHT = 4.0, 1.0

# So many products would hold the event loop for milliseconds.
MANY_ITEMS = 5_000


class Scorer(Protocol):
    """What ranks the items of one list. gains: ascending rows, and what each has for the user's having bought it."""

    @property
    def repeat_bonus(self) -> Ranking: ...

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """The k best of a selection, None for all items, without the excluded."""
        ...

    def scored(self, rows: Rows) -> Ranking:
        """These, in their order, with the scores that they have however far down; without what is never listed."""
        ...


@dataclass(frozen=True)
class VectorScorer:
    """The inner product with the bundle's item vectors, and what is gained beside it. vector: float32 (d,). added:
    ascending rows, and what each gains for anything else. neighbours: with the vectors that items are compared by
    instead.
    """

    live: ItemSnapshot
    vector: Floats
    repeat_bonus: Ranking = NOTHING
    lexical_bonus: Ranking = NOTHING
    neighbours: bool = False

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        search = self.live.search_similar if self.neighbours else self.live.search
        candidates = await search(self.vector, k + len(excluded), selection)
        rows, scores = self._bonus
        if selection is not None:
            wanted = selection.allowed[rows]
            rows, scores = rows[wanted], scores[wanted]
        arguments = (self.vector, self._vectors, candidates, k, excluded, rows, scores)
        if len(candidates) > MANY_ITEMS:
            return await asyncio.to_thread(rank, *arguments)
        return rank(*arguments)

    def scored(self, rows: Rows) -> Ranking:
        bonus = self._bonus
        among = np.isin(bonus.rows, rows)
        shares = bonus.rows[among], bonus.scores[among]
        return in_order(rank(self.vector, self._vectors, rows, len(rows), NO_ROWS, *shares), rows)

    @property
    def _bonus(self) -> Ranking:
        """All that is beside the inner product; a surface has one of them or none."""
        return self.lexical_bonus if len(self.lexical_bonus.rows) else self.repeat_bonus

    @property
    def _vectors(self) -> Floats:
        return self.live.similarity_vectors if self.neighbours else self.live.bundle.item_vectors


@dataclass(frozen=True)
class FixedOrderScorer:
    """An order that is known. order: distinct rows, best first, and their scores; what is not in it is never listed."""

    order: Ranking
    repeat_bonus: Ranking = NOTHING

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        rows, scores = self.order
        wanted = np.ones(len(rows), np.bool_) if selection is None else selection.allowed[rows]
        if len(excluded):
            wanted &= ~np.isin(rows, excluded)
        places = np.flatnonzero(wanted)[:k]
        return Ranking(rows[places], scores[places])

    def scored(self, rows: Rows) -> Ranking:
        return in_order(self.order, rows)


def in_order(ranking: Ranking, rows: Rows) -> Ranking:
    """Those of the rows that are in the ranking, in the order of `rows`."""
    ascending = np.argsort(ranking.rows)
    places = np.searchsorted(ranking.rows, rows, sorter=ascending) if len(ranking.rows) else rows[:0]
    places = ascending[np.minimum(places, len(ascending) - 1)]
    found = ranking.rows[places] == rows[: len(places)]
    return Ranking(ranking.rows[places[found]], ranking.scores[places[found]])


def similar_to(live: ItemSnapshot, row: int) -> VectorScorer:
    """Likeness to one item."""
    return VectorScorer(live, live.similarity_vectors[row], neighbours=True)


def search(live: ItemSnapshot, wanted: Floats, matches: Ranking, own: Floats) -> VectorScorer:
    """What fits a text query: its meaning, the words that an item has of it, and the user's own taste. wanted: float32
    (d,), of length 1. matches: ascending rows, 0 to 1 each. own: the user vector.
    """
    taste = own / max(float(np.linalg.norm(own)), 1e-12)
    lexical_bonus = Ranking(matches.rows, np.float32(WORDS_WEIGHT) * matches.scores)
    return VectorScorer(live, np.asarray(wanted + TASTE_WEIGHT * taste, np.float32), lexical_bonus=lexical_bonus)


def buy_again(live: ItemSnapshot, history: History, time: int) -> FixedOrderScorer:
    """The items that the user holds, by how likely they are to buy each again soon. time: microseconds since 1970 UTC.

    Where the shop had too few repeats to learn that from, by how often and how lately they bought each.
    """
    items, config = live.bundle.item_repeats, live.bundle.model.repeats
    rows, chances = repeat_probabilities(history, time, items, config)
    if not config.coefficients:
        _, features = repeat_features(history, time, items)
        chances = np.exp(features[:, FEATURES.index("recent")]).astype(np.float32)
    order = np.argsort(-chances, kind="stable")
    return FixedOrderScorer(Ranking(rows[order], chances[order]), repeat_bonus=Ranking(rows, chances))
