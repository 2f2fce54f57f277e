"""A bundle as its shop is now: with the items added since, what of them may be listed, and the searches over them."""

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.records import ItemContent
from recsvc.model.bundle import Bundle
from recsvc.model.text_encoder import item_text
from recsvc.model.vectors import GrowingMatrix
from recsvc.ranking import NO_ROWS
from recsvc.retrieval.inventory import LiveCatalogue
from recsvc.retrieval.lexical_index import ItemWords
from recsvc.retrieval.similar_items import neighbour_vectors
from recsvc.retrieval.vector_search import ItemSearch


class LiveBundle:
    """bundle: with all items. catalogue: what may be listed now. neighbour_vectors: float32 (n, d), what items are
    compared by. search, search_neighbours: by `bundle.item_vectors`, and by those. words: the items by theirs.

    before: one of the same model that differs in the rows `changed`, some of which it may not have; it may still be in
    use.
    """

    def __init__(
        self,
        bundle: Bundle,
        executor: Executor,
        before: "LiveBundle | None" = None,
        changed: NDArray[np.int32] = NO_ROWS,
    ) -> None:
        self.bundle = bundle
        self._executor = executor
        self._growing: GrowingMatrix | None = None
        self.catalogue: LiveCatalogue = LiveCatalogue(bundle.catalogue, before.catalogue if before else None)
        if before is None:
            self.neighbour_vectors = neighbour_vectors(bundle, bundle.item_vectors)
            self.search = ItemSearch(bundle.item_vectors, executor)
            self.search_neighbours = ItemSearch(self.neighbour_vectors, executor)
            self.words = ItemWords(bundle.features.lexical, [item_text(item) for item in bundle.catalogue.items])
            _ = bundle.catalogue.attributes  # worked out now: the first item that is added does not wait for it
        else:
            known = len(before.neighbour_vectors)
            self._growing = before._growing or GrowingMatrix(before.neighbour_vectors)
            self.neighbour_vectors = self._growing.extended(known, len(bundle.catalogue) - known)
            self.neighbour_vectors[changed] = neighbour_vectors(bundle, bundle.item_vectors[changed])
            self.search = before.search.with_changed(bundle.item_vectors, changed)
            self.search_neighbours = before.search_neighbours.with_changed(self.neighbour_vectors, changed)
            texts = {row: item_text(bundle.catalogue.items[row]) for row in changed.tolist()}
            self.words = before.words.with_texts(texts)

    def with_items(self, contents: Sequence[ItemContent]) -> "LiveBundle":
        """One that knows these items, with these words, too."""
        bundle = self.bundle.with_items(contents)
        changed = bundle.catalogue.rows(content.item.item_id for content in contents)
        return LiveBundle(bundle, self._executor, self, changed)

    async def warm_up(self) -> None:
        """Does what is slow the first time."""
        await self.search.warm_up()
