"""Finds the items that have the words of a query: an inverted index.

It finds model numbers and names, which an embedding loses.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.model.lexical import LexicalEncoder
from recsvc.ranking import NOTHING, Ranking

# A word that half of the items have matches more than anybody looks at.
MAX_MATCHES = 1_000


class LexicalIndex:
    """Items by their words, weighted by TF-IDF. The weights of each item are L2-normalised. Immutable.

    Args:
        lexical: Gives the weights of a text.
        main_index: Of one text for each row. A new one takes seconds, so later texts have an index of their own.
        delta: Texts by row that came or changed after the main index was built.
    """

    def __init__(self, lexical: LexicalEncoder, main_index: "_Postings", delta: Mapping[int, str]) -> None:
        self._lexical = lexical
        self._main_index = main_index
        self._delta = delta
        self._delta_rows = np.array(list(delta), np.int32)
        self._delta_index = _Postings(lexical, list(delta.values()))

    @classmethod
    def of(cls, lexical: LexicalEncoder, texts: Sequence[str]) -> "LexicalIndex":
        """Builds the index of one text for each row."""
        return cls(lexical, _Postings(lexical, texts), {})

    def with_texts(self, texts: Mapping[int, str]) -> "LexicalIndex":
        """Returns this index with other texts in some rows, some of them new."""
        return LexicalIndex(self._lexical, self._main_index, {**self._delta, **texts})

    def matches(self, query: str) -> Ranking:
        """Returns the best matches: ascending rows, and the cosine between their words and the query's, 0 to 1."""
        terms, weights = self._lexical.weights(query)
        rows, cosines = self._main_index.matches(terms, weights)
        if self._delta:
            unchanged = ~np.isin(rows, self._delta_rows)
            places, delta_cosines = self._delta_index.matches(terms, weights)
            rows = np.concatenate((rows[unchanged], self._delta_rows[places]))
            cosines = np.concatenate((cosines[unchanged], delta_cosines))
        if len(rows) > MAX_MATCHES:
            best = np.argpartition(-cosines, MAX_MATCHES)[:MAX_MATCHES]
            rows, cosines = rows[best], cosines[best]
        order = np.argsort(rows)
        return Ranking(rows[order], cosines[order])


class _Postings:
    """The postings of all terms in one array, those of a term side by side."""

    def __init__(self, lexical: LexicalEncoder, texts: Sequence[str]) -> None:
        weighted = [lexical.weights(text) for text in texts]
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), [len(terms) for terms, _ in weighted])
        terms = np.concatenate([np.empty(0, np.intp), *(terms for terms, _ in weighted)])
        weights = np.concatenate([NOTHING.scores, *(weights for _, weights in weighted)])
        order = np.argsort(terms, kind="stable")
        self._n = len(texts)
        self._rows, self._weights = rows[order], weights[order]
        self._starts = np.searchsorted(terms[order], np.arange(len(lexical.vocabulary) + 1))

    def matches(self, terms: NDArray[np.intp], weights: Floats) -> Ranking:
        """Returns all rows that have any of the terms, ascending, and the inner product of their weights with these."""
        products = np.zeros(self._n)
        for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
            postings = slice(self._starts[term], self._starts[term + 1])
            products += np.bincount(self._rows[postings], weight * self._weights[postings], self._n)
        rows = np.flatnonzero(products).astype(np.int32)
        return Ranking(rows, products[rows].astype(np.float32))
