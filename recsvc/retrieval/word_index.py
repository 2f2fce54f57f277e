"""Finds the items that have the words of a query: BM25 (Robertson and Zaragoza, 2009), as a share of the query.

It finds names and model numbers, which an embedding loses.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.item_words import K1, ItemWords, Postings, alphabetic_words
from recsvc.model.words import Words, plain_words
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.late_words import Amounts, LateWords
from recsvc.retrieval.spelling import Spelling

# A word that half of the items have matches more than anybody looks at.
MAX_MATCHES = 1_000
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
        postings: Of one text for each stored row.
        spelling: The words of all texts.
        late: The words of the texts that came or changed later; None before there is one.
    """

    def __init__(self, words: Words, postings: Postings, spelling: Spelling, late: LateWords | None = None) -> None:
        self.words = words
        self.spelling = spelling
        self._postings = postings
        self._late = late or LateWords(stored=postings.texts, n=postings.texts, terms=len(postings.rows))

    @classmethod
    def of(cls, texts: Sequence[str]) -> "WordIndex":
        """Builds the index of one text for each row."""
        return cls.open(ItemWords.of(texts))

    @classmethod
    def open(cls, stored: ItemWords) -> "WordIndex":
        """Opens the index of a bundle, which has one text for each row."""
        return cls(Words(stored.language), stored.postings, Spelling(stored.spelled, stored.spelled_counts))

    def with_texts(self, texts: Mapping[int, str], earlier: Mapping[int, str]) -> "WordIndex":
        """Returns this index with other texts in some rows, some of them new.

        Args:
            texts: By row.
            earlier: The texts that these rows had before, of those rows that were there.
        """
        counts = alphabetic_words(map(plain_words, texts.values()))
        counts.subtract(alphabetic_words(map(plain_words, earlier.values())))
        words = Words(self.words.language)  # another thread may be reading a query with this index's own
        terms, earlier_terms = ({row: words.terms(text) for row, text in by_row.items()} for by_row in (texts, earlier))
        late = self._late.with_texts(terms, earlier_terms)
        return WordIndex(words, self._postings, self.spelling.with_words(counts), late)

    def __contains__(self, term: str) -> bool:
        return self._count(term) > 0

    def matches(self, parts: Sequence[Part]) -> Ranking:
        """Returns the best matches: ascending rows, and how much of the query each has.

        That is the BM25 score over that of an item of average length with every part once: about 1 if an item has
        every part, and less the rarer the parts are that it lacks. A part that no item has counts as the rarest.
        """
        weights = np.array([self._weight(part) for part in parts])
        if not weights.any():
            return NOTHING
        rows, shares = self._shares(parts, weights)
        if len(rows) > MAX_MATCHES:
            best = np.sort(np.argpartition(-shares, MAX_MATCHES)[:MAX_MATCHES])
            rows, shares = rows[best], shares[best]
        return Ranking(rows, shares)

    def _weight(self, part: Part) -> float:
        """The weight of a part: that of its first alternative of which an item has every term; else the largest."""
        for terms in part.alternatives:
            if all(term in self for term in terms):
                return sum(map(self._rarity, terms))
        return self._rarity("")  # no text has it

    def _rarity(self, term: str) -> float:
        """The inverse document frequency, larger for a term that fewer texts have."""
        return _inverse_frequency(self._count(term), self._late.n)

    def _count(self, term: str) -> int:
        """How many texts have a term."""
        rows, current = self._stored_rows(term), self._late.current
        stored = len(rows) if current is None else np.count_nonzero(current[rows])
        return int(stored) + len(self._late.of_term(term).rows)

    def _shares(self, parts: Sequence[Part], weights: NDArray[np.float64]) -> Ranking:
        """Returns all rows with any part, ascending, and the weighted mean of how much they have of each part."""
        sums = np.zeros(self._late.n, np.float32)
        for part, weight in zip(parts, weights.tolist(), strict=True):
            if len(part.alternatives) == 1 and len(part.alternatives[0]) == 1:
                for rows, amounts in self._amounts(part.alternatives[0][0]):
                    sums[rows] += np.float32(weight) * amounts  # a term has each row once
            else:
                sums += np.float32(weight) * np.maximum.reduce([self._mean(terms) for terms in part.alternatives])
        rows = np.flatnonzero(sums).astype(np.int32)
        return Ranking(rows, sums[rows] / np.float32(weights.sum()))

    def _mean(self, terms: Terms) -> Floats:
        """The mean amount of some terms, weighted by their rarity, in every text."""
        sums, weights = np.zeros(self._late.n, np.float32), 0.0
        for term in terms:
            rarity = self._rarity(term)
            for rows, amounts in self._amounts(term):
                sums[rows] += np.float32(rarity) * amounts
            weights += rarity
        return sums / np.float32(weights or 1.0)

    def _amounts(self, term: str) -> Iterator[Amounts]:
        """The stored texts that have a term and did not change since, and the late ones."""
        rows, current = self._stored_rows(term), self._late.current
        rarity = _inverse_frequency(len(rows), self._postings.texts)  # as the scores have it
        amounts = self._postings.scores[self._postings_of(term)] * np.float32((K1 + 1) / rarity)
        if current is not None:
            kept = current[rows]
            rows, amounts = rows[kept], amounts[kept]
        yield Amounts(rows, amounts)
        yield self._late.of_term(term)

    def _stored_rows(self, term: str) -> Rows:
        return self._postings.rows[self._postings_of(term)]

    def _postings_of(self, term: str) -> slice:
        place, starts = self._postings.terms.find(term), self._postings.starts
        return slice(0, 0) if place is None else slice(starts[place], starts[place + 1])


def _inverse_frequency(count: int, n: int) -> float:
    """Returns the inverse document frequency of a term that `count` of n texts have."""
    return math.log(1 + (n - count + 0.5) / (count + 0.5))
