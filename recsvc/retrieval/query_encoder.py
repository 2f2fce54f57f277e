"""Encodes a text query: as a vector beside the item vectors, and as the words that items have."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

from recsvc.domain.arrays import Floats
from recsvc.model.vectors import unit
from recsvc.ranking import Ranking
from recsvc.retrieval.item_snapshot import ItemSnapshot

# Shoppers look for the same few hundred texts all day, and the language model takes ten milliseconds for each.
KEPT_QUERIES = 1_000


class QueryEncoder:
    """Encodes the queries of one snapshot, and keeps the newest vectors. For the event loop's thread only.

    Args:
        snapshot: Its item tower and lexical index read the queries.
        encode: Returns the language model's embedding of a text, float32 (dim,).
        executor: Runs the item tower and the lexical search.
    """

    def __init__(self, snapshot: ItemSnapshot, encode: Callable[[str], Awaitable[Floats]], executor: Executor) -> None:
        self._snapshot = snapshot
        self._encode = encode
        self._executor = executor
        self._vectors: OrderedDict[str, Floats] = OrderedDict()

    async def vector(self, text: str) -> Floats:
        """Returns the vector that an item with these words would have, float32 (d,), L2-normalised.

        Only the blocks that read text are filled.
        """
        vector = self._vectors.get(text)
        if vector is None:
            embedding = await self._encode(text)
            loop = asyncio.get_running_loop()
            vector = await loop.run_in_executor(self._executor, self._item_vector, embedding, text)
            self._vectors[text] = vector
            while len(self._vectors) > KEPT_QUERIES:
                self._vectors.popitem(last=False)
        self._vectors.move_to_end(text)
        return vector

    async def matches(self, text: str) -> Ranking:
        """Returns the items that have words of the text: ascending rows, and how well each matches, 0 to 1."""
        matches = self._snapshot.lexical_index.matches
        return await asyncio.get_running_loop().run_in_executor(self._executor, matches, text)

    def _item_vector(self, embedding: Floats, text: str) -> Floats:
        bundle = self._snapshot.bundle
        [vector] = bundle.layout.without_item_only(bundle.vectors_of_texts(embedding[None], [text]))
        return unit(vector)
