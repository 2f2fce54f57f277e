"""Ranks items for a surface: by the inner product with a vector, or in an order that does not come from vectors."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Floats, Rows, VectorsByRow
from recsvc.domain.shop import History
from recsvc.model.history_bonus import NO_BONUS, HistoryBonus
from recsvc.model.repeat_purchase import FEATURES, repeat_features, repeat_probabilities
from recsvc.ranking import NOTHING, Ranking, among, rank
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.kept_rankings import KeptRankings, Searched

# The weight of the user vector beside the vector of the cart, which has weight 1.
OWN_TASTE_WEIGHT = 0.25

# More inner products than this would block the event loop for milliseconds, so they run in a thread.
MAX_PRODUCTS_ON_LOOP = 5_000


class Scorer(Protocol):
    """Ranks the items of one slate."""

    @property
    def repeat_bonus(self) -> Ranking:
        """Ascending rows, and how much each gained because the user bought it."""
        ...

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """Returns the k best items of a selection without the excluded rows. A selection of None is every item."""
        ...

    def scored(self, rows: Rows) -> Ranking:
        """Returns these rows in their order, with their scores. Rows that the surface never lists are left out."""
        ...


@dataclass(frozen=True)
class VectorScorer:
    """Scores by the inner product with the bundle's item vectors, plus a bonus for some items.

    Attributes:
        snapshot: The items.
        vector: float32 (d,).
        bonus: What is added to the inner products.
        kept: Earlier rankings by this vector; None if it is of this request alone.
    """

    snapshot: ItemSnapshot
    vector: Floats
    bonus: HistoryBonus = NO_BONUS
    kept: KeptRankings | None = None

    @property
    def repeat_bonus(self) -> Ranking:
        """See `Scorer.repeat_bonus`."""
        return self.bonus.repeats

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """See `Scorer.ranking`."""
        if self.kept is None:
            return await self._search(k, excluded, selection)
        searched = Searched(self.vector, self.bonus.total, selection)
        return await self.kept.best(searched, k, excluded, lambda asked: self._search(asked, NO_ROWS, selection))

    async def _search(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        bonus = self.bonus.total
        candidates = await self.snapshot.search(self.vector, k + len(excluded), selection, bonus)
        item_vectors = self.snapshot.bundle.item_vectors
        return await _rank(self.vector, item_vectors, candidates, k, excluded, among(bonus, candidates))

    def scored(self, rows: Rows) -> Ranking:
        """See `Scorer.scored`."""
        bonus = among(self.bonus.total, rows)
        ranking = rank(self.vector, self.snapshot.bundle.item_vectors, rows, len(rows), bonus=bonus)
        return in_order(ranking, rows)


@dataclass(frozen=True)
class SimilarityScorer:
    """Scores by the similarity to one item: the cosine of the similarity vectors.

    Attributes:
        snapshot: The items.
        vector: The similarity vector of the item, float32 (d,).
        kept: Earlier rankings by this vector.
    """

    snapshot: ItemSnapshot
    vector: Floats
    kept: KeptRankings

    @property
    def repeat_bonus(self) -> Ranking:
        """No item gains anything from having been bought."""
        return NOTHING

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """See `Scorer.ranking`."""

        async def search(asked: int) -> Ranking:
            candidates = await self.snapshot.search_similar(self.vector, asked, selection)
            return await _rank(self.vector, self.snapshot.similarity_vectors, candidates, asked, NO_ROWS, NOTHING)

        return await self.kept.best(Searched(self.vector, NOTHING, selection), k, excluded, search)

    def scored(self, rows: Rows) -> Ranking:
        """See `Scorer.scored`."""
        return in_order(rank(self.vector, self.snapshot.similarity_vectors, rows, len(rows)), rows)


@dataclass(frozen=True)
class FixedOrderScorer:
    """Ranks in an order that is known, without `recsvc.ranking.rank`.

    Attributes:
        order: Distinct rows, best first, and their scores. Other rows are never listed.
        repeat_bonus: Ascending rows, and how much each gained because the user bought it.
    """

    order: Ranking
    repeat_bonus: Ranking = NOTHING

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """See `Scorer.ranking`."""
        rows, scores = self.order
        listed = np.ones(len(rows), np.bool_) if selection is None else selection.allowed[rows]
        if len(excluded):
            listed &= ~np.isin(rows, excluded)
        places = np.flatnonzero(listed)[:k]
        return Ranking(rows[places], scores[places])

    def scored(self, rows: Rows) -> Ranking:
        """See `Scorer.scored`."""
        return in_order(self.order, rows)


async def _rank(
    vector: Floats, item_vectors: VectorsByRow, candidates: Rows, k: int, excluded: Rows, bonus: Ranking
) -> Ranking:
    """Runs `rank`, in a thread if there are many candidates."""
    arguments = (vector, item_vectors, candidates, k, excluded, bonus)
    if len(candidates) > MAX_PRODUCTS_ON_LOOP:
        return await asyncio.to_thread(rank, *arguments)
    return rank(*arguments)


def in_order(ranking: Ranking, rows: Rows) -> Ranking:
    """Returns those of the rows that are in the ranking, with their scores, in the order of `rows`."""
    ascending = np.argsort(ranking.rows)
    places = np.searchsorted(ranking.rows, rows, sorter=ascending) if len(ranking.rows) else rows[:0]
    places = ascending[np.minimum(places, len(ascending) - 1)]
    ranked = ranking.rows[places] == rows[: len(places)]
    return Ranking(ranking.rows[places[ranked]], ranking.scores[places[ranked]])


def similar_to(snapshot: ItemSnapshot, row: int) -> SimilarityScorer:
    """Scores by the similarity to the item of a row."""
    return SimilarityScorer(snapshot, snapshot.similarity_vectors[np.array([row], np.int32)][0], KeptRankings())


def buy_again(snapshot: ItemSnapshot, history: History, time: int) -> FixedOrderScorer:
    """Orders the items that the user holds by the probability that they buy each again soon.

    If the shop had too few repeats to learn the probability from, orders by how often and how recently the user bought
    each item.

    Args:
        snapshot: The items.
        history: Of the user.
        time: When the list is shown, in microseconds since 1970 UTC.
    """
    items, config = snapshot.bundle.item_repeats, snapshot.bundle.model.repeats
    rows, probabilities = repeat_probabilities(history, time, items, config)
    if not config.coefficients:
        _, features = repeat_features(history, time, items)
        probabilities = np.exp(features[:, FEATURES.index("recent")]).astype(np.float32)
    order = np.argsort(-probabilities, kind="stable")
    return FixedOrderScorer(Ranking(rows[order], probabilities[order]), repeat_bonus=Ranking(rows, probabilities))
