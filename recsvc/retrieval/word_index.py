"""Finds the items that have the words of a query: BM25 (Robertson and Zaragoza, 2009), as a share of the query.

It finds names and model numbers, which an embedding loses.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES, Floats, Rows
from recsvc.model.item_words import K1, ItemWords, Postings, alphabetic_words
from recsvc.model.words import Words, plain_words
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.spelling import Spelling

# A word that half of the items have matches more than anybody looks at.
MAX_MATCHES = 1_000
# The texts that came or changed late have an index of their own, which is built again with each change. With more of
# them than this share of the main index's texts, within the limits, the main index is built again: some 60 microseconds
# a text.
LATE_SHARE, FEWEST_LATE_TEXTS, MOST_LATE_TEXTS = 1 / 8, 1_024, 8_192

# The terms of one expression.
Terms = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a query: terms, any of which an item may have in place of the others.

    Attributes:
        alternatives: The terms of the query itself, then those that mean the same. An item matches the best of them.
    """

    alternatives: tuple[Terms, ...]


class WordIndex:
    """Items by their words. Immutable. For one thread at a time.

    Args:
        words: Reads texts.
        main_index: Of one text for each row. A new one takes seconds, so later texts have an index of their own.
        delta: The terms of the texts that came or changed after the main index was built, by row.
        spelling: The words of all texts, and of those that were replaced after the main index was built.
        taken: How many texts came or changed since then, each as often as it did.
    """

    def __init__(
        self,
        words: Words,
        main_index: "_Matcher",
        delta: Mapping[int, Sequence[str]],
        spelling: Spelling,
        taken: int = 0,
    ) -> None:
        self.words = words
        self.spelling = spelling
        self._main_index = main_index
        self._delta = delta
        self._taken = taken
        self._delta_rows = np.array(list(delta), np.int32)
        self._delta_index = _Matcher(Postings.of(list(delta.values())))

    @classmethod
    def of(cls, texts: Sequence[str]) -> "WordIndex":
        """Builds the index of one text for each row."""
        return cls.open(ItemWords.of(texts))

    @classmethod
    def open(cls, stored: ItemWords) -> "WordIndex":
        """Opens the index of a bundle, which has one text for each row."""
        spelling = Spelling(stored.spelled, stored.spelled_counts)
        return cls(Words(stored.language), _Matcher(stored.postings), {}, spelling)

    def with_texts(self, texts: Mapping[int, str], every_text: Callable[[], Sequence[str]]) -> "WordIndex":
        """Returns this index with other texts in some rows, some of them new.

        Args:
            texts: By row.
            every_text: Returns the texts of all rows, these included.
        """
        taken = self._taken + len(texts)
        if taken > min(max(LATE_SHARE * len(self._main_index), FEWEST_LATE_TEXTS), MOST_LATE_TEXTS):
            return WordIndex.of(every_text())
        spelling = self.spelling.with_words(alphabetic_words(map(plain_words, texts.values())))
        words = Words(self.words.language)  # another thread may be reading a query with this index's own
        changed = {row: words.terms(text) for row, text in texts.items()}
        return WordIndex(words, self._main_index, {**self._delta, **changed}, spelling, taken)

    def __contains__(self, term: str) -> bool:
        return term in self._main_index or term in self._delta_index

    def matches(self, parts: Sequence[Part]) -> Ranking:
        """Returns the best matches: ascending rows, and how much of the query each has.

        That is the BM25 score over that of an item of average length with every part once: about 1 if an item has
        every part, and less the rarer the parts are that it lacks. A part that no item has counts as the rarest.
        """
        weights = np.array([self._weight(part) for part in parts])
        if not weights.any():
            return NOTHING
        rows, shares = self._main_index.shares(parts, weights)
        if self._delta:
            unchanged = ~np.isin(rows, self._delta_rows)
            places, delta_shares = self._delta_index.shares(parts, weights)
            rows = np.concatenate((rows[unchanged], self._delta_rows[places]))
            shares = np.concatenate((shares[unchanged], delta_shares))
        if len(rows) > MAX_MATCHES:
            best = np.argpartition(-shares, MAX_MATCHES)[:MAX_MATCHES]
            rows, shares = rows[best], shares[best]
        order = np.argsort(rows)
        return Ranking(rows[order], shares[order])

    def _weight(self, part: Part) -> float:
        """The weight of a part: that of its first alternative of which an item has every term; else the largest."""
        for terms in part.alternatives:
            if all(term in self for term in terms):
                return sum(map(self._main_index.rarity, terms))
        return self._main_index.rarity("")  # no text has it


class _Matcher:
    """Compares queries with the postings of some texts."""

    def __init__(self, postings: Postings) -> None:
        self._postings = postings
        self._n = postings.texts

    def __len__(self) -> int:
        return self._n

    def __contains__(self, term: str) -> bool:
        return self._postings.terms.find(term) is not None

    def rarity(self, term: str) -> float:
        """The inverse document frequency, larger for a term that fewer texts have."""
        place, starts = self._postings.terms.find(term), self._postings.starts
        count = 0 if place is None else int(starts[place + 1] - starts[place])
        return math.log(1 + (self._n - count + 0.5) / (count + 0.5))

    def shares(self, parts: Sequence[Part], weights: NDArray[np.float64]) -> Ranking:
        """Returns all places with any part, ascending, and the weighted mean of how much they have of each part."""
        sums = np.zeros(self._n, np.float32)
        for part, weight in zip(parts, weights.tolist(), strict=True):
            if len(part.alternatives) == 1 and len(part.alternatives[0]) == 1:
                rows, amounts = self._amounts(part.alternatives[0][0])
                sums[rows] += np.float32(weight) * amounts  # a term has each place once
            else:
                sums += np.float32(weight) * np.maximum.reduce([self._mean(terms) for terms in part.alternatives])
        rows = np.flatnonzero(sums).astype(np.int32)
        return Ranking(rows, sums[rows] / np.float32(weights.sum()))

    def _mean(self, terms: Terms) -> Floats:
        """The mean amount of some terms, weighted by their rarity, in every text."""
        sums, weights = np.zeros(self._n, np.float32), 0.0
        for term in terms:
            rows, amounts = self._amounts(term)
            sums[rows] += np.float32(self.rarity(term)) * amounts
            weights += self.rarity(term)
        return sums / np.float32(weights or 1.0)

    def _amounts(self, term: str) -> tuple[Rows, Floats]:
        """The places of a term, and its saturated frequency in each: 1 where a text of average length has it once."""
        postings = self._postings
        place = postings.terms.find(term)
        if place is None:
            return NO_ROWS, NO_SCORES
        own = slice(postings.starts[place], postings.starts[place + 1])
        return postings.rows[own], postings.scores[own] * np.float32((K1 + 1) / self.rarity(term))
