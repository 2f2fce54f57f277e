"""Searches as the service does, by the code that serves it but without a service; and two simpler ways beside it."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.domain.shop import History
from recsvc.errors import SettingsError
from recsvc.model import text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.text_encoder import TextEncoder, item_text
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.query_encoder import QueryEncoder
from recsvc.retrieval.search_scorer import TASTE_WEIGHT, SearchScorer
from training.search_evaluation.queries import SearchQuery

DEPTH = 100  # items of a result that are looked at
PRODUCT, ENCODER, WORDS = "product", "encoder", "words"
SEARCHES = (PRODUCT, ENCODER, WORDS)


class OfflineSearch:
    """The searches of one bundle.

    - product: what the service answers.
    - encoder: the cosine between the text encoder's embeddings of the query and of the item's text, and nothing else.
    - words: the product's word index alone.

    Args:
        bundle: The bundle.
        snapshot: Of the bundle.
        encoder: The bundle's text encoder.
        runner: Runs the product's coroutines.
        thread: Runs the product's computations.
    """

    def __init__(
        self,
        bundle: Bundle,
        snapshot: ItemSnapshot,
        encoder: TextEncoder,
        runner: asyncio.Runner,
        thread: ThreadPoolExecutor,
    ) -> None:
        self._bundle = bundle
        self._snapshot = snapshot
        self._encoder = encoder
        self._runner = runner
        self._query_encoder = QueryEncoder(snapshot, self._encode, thread, has_word=encoder.has_word)
        self._tower = bundle.user_tower()
        self._item_embeddings: Floats | None = None
        self.seconds: list[
            float
        ] = []  # of each search of the product, with the text encoder and without the user tower

    def results(self, search: str, queries: Sequence[SearchQuery]) -> list[Rows]:
        """The best `DEPTH` rows of each query, by one of SEARCHES."""
        rank: dict[str, Callable[[SearchQuery], Rows]] = {
            PRODUCT: self._product,
            ENCODER: self._by_encoder,
            WORDS: self._by_words,
        }
        return [rank[search](query) for query in queries]

    def with_taste(self, weight: float, queries: Sequence[SearchQuery]) -> list[Rows]:
        """The best `DEPTH` rows of each query by the product, if the user's taste had this weight."""
        return [self._runner.run(self._served(query.text, self._user_vector(query), weight)) for query in queries]

    def _product(self, query: SearchQuery) -> Rows:
        user_vector = self._user_vector(query)
        started = time.perf_counter()
        rows = self._runner.run(self._served(query.text, user_vector))
        self.seconds.append(time.perf_counter() - started)
        return rows

    def _user_vector(self, query: SearchQuery) -> Floats:
        history = query.history if query.history is not None else History.empty()
        vector: Floats = self._tower.user_vectors([history], [None])[0]
        return vector

    async def _served(self, text: str, user_vector: Floats, taste_weight: float = TASTE_WEIGHT) -> Rows:
        """The same calls as `recsvc.pipeline.query_plan` makes for the surface SEARCH."""
        terms = await self._query_encoder.search_terms(text)
        return (await SearchScorer(self._snapshot, terms, user_vector, taste_weight).ranking(DEPTH, NO_ROWS, None)).rows

    def _by_encoder(self, query: SearchQuery) -> Rows:
        if self._item_embeddings is None:
            self._item_embeddings = self._encoder.encode([item_text(item) for item in self._bundle.catalogue.items])
        cosines = self._item_embeddings @ self._encoder.encode([query.text])[0]
        return np.argsort(-cosines, kind="stable")[:DEPTH].astype(np.int32)

    def _by_words(self, query: SearchQuery) -> Rows:
        rows, scores = self._runner.run(self._query_encoder.search_terms(query.text)).words
        return rows[np.argsort(-scores, kind="stable")[:DEPTH]]

    async def _encode(self, text: str) -> Floats:
        embedding: Floats = self._encoder.encode([text])[0]
        return embedding


@contextmanager
def offline_search(bundle: Bundle) -> Iterator[OfflineSearch]:
    """Opens the searches of a bundle while the block runs.

    Raises:
        TextEncoderError: The bundle's text encoder is not installed.
        SettingsError: Its weights are not those that the bundle was trained with.
    """
    encoder = text_encoders.load(bundle.model.text_encoder)
    if encoder.fingerprint != bundle.model.text_encoder_fingerprint:
        raise SettingsError(
            f"the bundle was trained with other weights of the text encoder {bundle.model.text_encoder}"
        )
    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as thread:
        snapshot = ItemSnapshot.of(bundle, thread)
        runner.run(snapshot.warm_up())
        yield OfflineSearch(bundle, snapshot, encoder, runner, thread)
