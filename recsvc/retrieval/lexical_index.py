"""Which items have the words of a query: an inverted index, for the model numbers and names that no embedding keeps."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.model.lexical import LexicalEncoder
from recsvc.ranking import NOTHING, Ranking

# A word that half of the items have matches more than anybody looks at.
MOST_MATCHES = 1_000


class LexicalIndex:
    """Items by their words, weighted by TF-IDF, each item's weights L2-normalised. Immutable. texts: one a row."""

    def __init__(self, lexical: LexicalEncoder, texts: Sequence[str]) -> None:
        self._lexical = lexical
        self._index = _Index(lexical, texts)
        # Rows whose words came or changed later, and an index of them alone: a new one of all takes seconds.
        self._delta: dict[int, str] = {}
        self._late_rows = NOTHING.rows
        self._late_index = _Index(lexical, ())

    def with_texts(self, texts: Mapping[int, str]) -> "LexicalIndex":
        """The same with other texts in some rows, some of them new."""
        other = object.__new__(LexicalIndex)
        other._lexical, other._index = self._lexical, self._index
        other._delta = {**self._delta, **texts}
        other._late_rows = np.array(list(other._delta), np.int32)
        other._late_index = _Index(self._lexical, list(other._delta.values()))
        return other

    def matches(self, query: str) -> Ranking:
        """Ascending rows of the best matches, and the cosine of their words and the query's, 0 to 1."""
        terms, weights = self._lexical.weights(query)
        rows, cosines = self._index.found(terms, weights)
        if self._delta:
            stays = ~np.isin(rows, self._late_rows)
            late, late_cosines = self._late_index.found(terms, weights)
            rows = np.concatenate((rows[stays], self._late_rows[late]))
            cosines = np.concatenate((cosines[stays], late_cosines))
        if len(rows) > MOST_MATCHES:
            best = np.argpartition(-cosines, MOST_MATCHES)[:MOST_MATCHES]
            rows, cosines = rows[best], cosines[best]
        order = np.argsort(rows)
        return Ranking(rows[order], cosines[order])


class _Index:
    """Postings in one array, those of a term side by side."""

    def __init__(self, lexical: LexicalEncoder, texts: Sequence[str]) -> None:
        each = [lexical.weights(text) for text in texts]
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), [len(terms) for terms, _ in each])
        terms = np.concatenate([np.empty(0, np.intp), *(terms for terms, _ in each)])
        weights = np.concatenate([NOTHING.scores, *(weights for _, weights in each)])
        order = np.argsort(terms, kind="stable")
        self._n = len(texts)
        self._rows, self._weights = rows[order], weights[order]
        self._starts = np.searchsorted(terms[order], np.arange(len(lexical.vocabulary) + 1))

    def found(self, terms: NDArray[np.intp], weights: NDArray[np.float32]) -> Ranking:
        """All rows that have any of the terms, ascending, and the inner product of their weights and these."""
        products = np.zeros(self._n)
        for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
            part = slice(self._starts[term], self._starts[term + 1])
            products += np.bincount(self._rows[part], weight * self._weights[part], self._n)
        rows = np.flatnonzero(products).astype(np.int32)
        return Ranking(rows, products[rows].astype(np.float32))
