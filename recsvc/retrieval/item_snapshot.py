"""A bundle as its shop is now: with the items added since, what of them may be listed, and the searches over them."""

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS
from recsvc.domain.records import ItemContent
from recsvc.model.bundle import Bundle
from recsvc.model.text_encoder import item_text
from recsvc.model.vectors import GrowingMatrix
from recsvc.retrieval.inventory import Inventory
from recsvc.retrieval.lexical_index import LexicalIndex
from recsvc.retrieval.similar_items import similarity_vectors
from recsvc.retrieval.vector_search import ItemSearch


class ItemSnapshot:
    """bundle: with all items. catalogue: what may be listed now. similarity_vectors: float32 (n, d), what items are
    compared by. search, search_similar: by `bundle.item_vectors`, and by those. words: the items by theirs.

    before: one of the same model that differs in the rows `changed`, some of which it may not have; it may still be in
    use.
    """

    def __init__(
        self,
        bundle: Bundle,
        executor: Executor,
        before: "ItemSnapshot | None" = None,
        changed: NDArray[np.int32] = NO_ROWS,
    ) -> None:
        self.bundle = bundle
        self._executor = executor
        self._growing: GrowingMatrix | None = None
        self.catalogue: Inventory = Inventory(bundle.catalogue, before.catalogue if before else None)
        if before is None:
            self.similarity_vectors = similarity_vectors(bundle, bundle.item_vectors)
            self.search = ItemSearch(bundle.item_vectors, executor)
            self.search_similar = ItemSearch(self.similarity_vectors, executor)
            self.words = LexicalIndex(bundle.features.lexical, [item_text(item) for item in bundle.catalogue.items])
            _ = bundle.catalogue.attributes  # worked out now: the first item that is added does not wait for it
        else:
            known = len(before.similarity_vectors)
            self._growing = before._growing or GrowingMatrix(before.similarity_vectors)
            self.similarity_vectors = self._growing.extended(known, len(bundle.catalogue) - known)
            self.similarity_vectors[changed] = similarity_vectors(bundle, bundle.item_vectors[changed])
            self.search = before.search.with_changed(bundle.item_vectors, changed)
            self.search_similar = before.search_similar.with_changed(self.similarity_vectors, changed)
            texts = {row: item_text(bundle.catalogue.items[row]) for row in changed.tolist()}
            self.words = before.words.with_texts(texts)

    def with_items(self, contents: Sequence[ItemContent]) -> "ItemSnapshot":
        """One that knows these items, with these words, too."""
        bundle = self.bundle.with_items(contents)
        changed = bundle.catalogue.rows(content.item.item_id for content in contents)
        return ItemSnapshot(bundle, self._executor, self, changed)

    async def warm_up(self) -> None:
        """Does what is slow the first time."""
        await self.search.warm_up()
