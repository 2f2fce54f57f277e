"""Ranks items for a text search: by meaning, by words, and by the user's taste."""

import asyncio
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.model.vectors import unit
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.query_encoder import SearchTerms
from recsvc.retrieval.scorers import MAX_PRODUCTS_ON_LOOP, in_order

# The weights beside the meaning of the item's text, which has weight 1 (docs/experiments.md, "Searching in other
# words"). Taste decides between items that are about as near.
CATEGORY_WEIGHT, WORDS_WEIGHT, TASTE_WEIGHT = 1.5, 1.0, 0.05
# The weight of taste where the query stands aside, as the last search of a visit on a list for the user.
ASIDE_TASTE_WEIGHT = 0.5
# The share of the query that an item has is raised to this power: half of the words say little, all of them much.
WORDS_POWER = 3
# The fewest candidates by meaning and by words, so that all parts of the score have a choice.
MIN_CANDIDATES = 200

PARTS = ("meaning", "category", "words", "taste")


@dataclass(frozen=True)
class SearchScorer:
    """Scores for one search of one user.

    Attributes:
        snapshot: The items.
        terms: Of the search.
        user_vector: float32 (d,).
        taste_weight: The weight of the user's taste.
    """

    snapshot: ItemSnapshot
    terms: SearchTerms
    user_vector: Floats
    taste_weight: float = TASTE_WEIGHT

    @property
    def repeat_bonus(self) -> Ranking:
        """No item gains anything from having been bought."""
        return NOTHING

    async def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """See `recsvc.retrieval.scorers.Scorer.ranking`. Candidates are the nearest items and those with the words."""
        width = max(k, MIN_CANDIDATES) + len(excluded)
        meaning = self.terms.meaning
        nearest = NO_ROWS if meaning is None else await self.snapshot.search_text(meaning, width, selection)
        words = self.terms.words
        if selection is not None:
            allowed = selection.allowed[words.rows]
            words = Ranking(words.rows[allowed], words.scores[allowed])
        with_words = words.rows
        if len(with_words) > width:
            with_words = with_words[np.argpartition(-words.scores, width)[:width]]
        rows = np.union1d(nearest, with_words).astype(np.int32)
        if len(excluded):
            rows = rows[~np.isin(rows, excluded)]
        if len(rows) > MAX_PRODUCTS_ON_LOOP:
            return await asyncio.to_thread(self._best, rows, k)
        return self._best(rows, k)

    def scored(self, rows: Rows) -> Ranking:
        """See `recsvc.retrieval.scorers.Scorer.scored`."""
        return in_order(self._best(np.sort(rows), len(rows)), rows)

    def parts(self, rows: Rows) -> Floats:
        """Returns the parts of the scores of m items in the order of PARTS, float32 (4, m)."""
        bundle, terms = self.snapshot.bundle, self.terms
        words = np.zeros(len(rows), np.float32)
        if len(terms.words.rows):
            places = np.minimum(np.searchsorted(terms.words.rows, rows), len(terms.words.rows) - 1)
            words = np.where(terms.words.rows[places] == rows, terms.words.scores[places], words)
        # The last place is for items without a category, whose code is -1: they are as near as their text is.
        meaning = np.zeros(len(rows), np.float32)
        if terms.meaning is not None:
            meaning = self.snapshot.text_scores(terms.meaning, rows)
        codes = bundle.catalogue.paths.codes[rows]
        category = np.where(codes >= 0, np.append(terms.category_scores, np.float32(0))[codes], meaning)
        taste = bundle.item_vectors[rows] @ unit(self.user_vector)
        return np.stack(
            (meaning, CATEGORY_WEIGHT * category, WORDS_WEIGHT * words**WORDS_POWER, self.taste_weight * taste)
        ).astype(np.float32)

    def _best(self, rows: Rows, k: int) -> Ranking:
        """Returns the k best of ascending rows; equal scores in the order of rows."""
        scores = self.parts(rows).sum(axis=0)
        best = np.argsort(-scores, kind="stable")[:k]
        return Ranking(rows[best], scores[best])
