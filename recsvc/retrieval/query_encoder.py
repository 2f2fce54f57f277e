"""A shopper's words as a vector beside the item vectors, and as words that items have."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.model.towers.user import ITEM_ONLY_BLOCKS
from recsvc.ranking import Ranking
from recsvc.retrieval.item_snapshot import ItemSnapshot

# Shoppers look for the same few hundred things all day, and the language model takes ten milliseconds for each.
KEPT_QUERIES = 1_000


class QueryEncoder:
    """For the event loop's thread alone. encode: the language model's embedding of a text, float32 (dim,)."""

    def __init__(self, live: ItemSnapshot, encode: Callable[[str], Awaitable[Floats]], executor: Executor) -> None:
        self._live = live
        self._encode = encode
        self._executor = executor
        self._vectors: OrderedDict[str, Floats] = OrderedDict()

    async def vector(self, text: str) -> Floats:
        """What an item of these words would have, float32 (d,), its length 1; only blocks that read text."""
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
        """Items by how much of the words they have: ascending rows, and 0 to 1 for each."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._live.words.matches, text)

    def _item_vector(self, embedding: Floats, text: str) -> Floats:
        bundle = self._live.bundle
        vector: Floats = bundle.new_item_vectors(embedding[None], [text])[0]
        for name in ITEM_ONLY_BLOCKS:
            vector[getattr(bundle.layout, name)] = 0.0
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)
