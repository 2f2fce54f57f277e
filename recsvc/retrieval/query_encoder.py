"""Encodes a text query: its meaning as vectors, and the items that have its words."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.errors import TextEncoderFailing
from recsvc.model.vectors import unit
from recsvc.ranking import Ranking
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.synonyms import NO_SYNONYMS, Synonyms
from recsvc.retrieval.text_query import TextQuery, read_query

# Shoppers look for the same few hundred texts all day, and the language model takes ten milliseconds for each.
KEPT_QUERIES = 1_000


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """A search, ready to be compared with items.

    Attributes:
        meaning: The direction in which `ItemSnapshot.search_text` looks, float32 (dim,), L2-normalised. None if the
            text encoder fails: the words alone are searched then.
        category_scores: Cosine of the query with the path of each category, by code; float32 (categories,).
        words: Ascending rows of items that have words of it, and how much of it each has, 0 to about 1.
        corrected: The text with corrected words; "" if none was corrected.
    """

    meaning: Floats | None
    category_scores: Floats
    words: Ranking
    corrected: str


class QueryEncoder:
    """Encodes the queries of one snapshot, and keeps the newest. For the event loop's thread only.

    Args:
        snapshot: Its item tower and word index read the queries.
        encode: Returns the language model's embedding of a text, float32 (dim,).
        executor: Runs the item tower and the search of words; it has one thread.
        has_word: Whether the language model knows a word, which is then no typing error.
        synonyms: Expressions that mean the same.
    """

    def __init__(
        self,
        snapshot: ItemSnapshot,
        encode: Callable[[str], Awaitable[Floats]],
        executor: Executor,
        *,
        has_word: Callable[[str], bool] = lambda _: False,
        synonyms: Synonyms = NO_SYNONYMS,
    ) -> None:
        self._snapshot = snapshot
        self._encode = encode
        self._executor = executor
        self._has_word = has_word
        self._synonyms = synonyms
        self._searches: OrderedDict[str, SearchTerms] = OrderedDict()

    async def search_terms(self, text: str) -> SearchTerms:
        """Returns the meaning and the words of a search."""
        terms = self._searches.get(text)
        if terms is None:
            loop = asyncio.get_running_loop()
            query = await loop.run_in_executor(self._executor, self._read, text)
            try:
                embedding = await self._encode(query.corrected or text)
            except TextEncoderFailing:  # not kept: the next search tries again
                return await loop.run_in_executor(self._executor, self._words_alone, query)
            terms = await loop.run_in_executor(self._executor, self._search_terms, embedding, text, query)
            self._searches[text] = terms
            while len(self._searches) > KEPT_QUERIES:
                self._searches.popitem(last=False)
        self._searches.move_to_end(text)
        return terms

    def _read(self, text: str) -> TextQuery:
        return read_query(text, self._snapshot.word_index, self._synonyms, self._has_word)

    def _search_terms(self, embedding: Floats, text: str, query: TextQuery) -> SearchTerms:
        snapshot = self._snapshot
        if snapshot.bundle.has_text_codes:
            [meaning] = snapshot.bundle.projected(embedding[None])
        else:
            meaning = self._item_vector(embedding, query.corrected or text)
        return SearchTerms(
            meaning,
            snapshot.category_scores(meaning),
            snapshot.word_index.matches(query.parts),
            query.corrected,
        )

    def _words_alone(self, query: TextQuery) -> SearchTerms:
        snapshot = self._snapshot
        no_category = np.zeros(len(snapshot.bundle.category_codes), np.float32)
        return SearchTerms(None, no_category, snapshot.word_index.matches(query.parts), query.corrected)

    def _item_vector(self, embedding: Floats, text: str) -> Floats:
        bundle = self._snapshot.bundle
        [vector] = bundle.layout.without_item_only(bundle.vectors_of_texts(embedding[None], [text]))
        return unit(vector)
