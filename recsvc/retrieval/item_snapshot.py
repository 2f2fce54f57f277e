"""The items of a bundle as the shop has them now: added items, what may be listed, and the searches over them."""

import asyncio
from collections.abc import Awaitable, Sequence
from concurrent.futures import Executor

import numpy as np

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.model.bundle import Bundle
from recsvc.model.derived_columns import DerivedColumns
from recsvc.model.item_words import search_text
from recsvc.model.similarity import SimilarityVectors
from recsvc.model.vectors import CODE_SCALE, decode_8_bits
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.index import FULL_PRECISION_ITEMS, ScanIndex
from recsvc.retrieval.inventory import Inventory, Selection, Table
from recsvc.retrieval.shortened_scan import ShortenedScan
from recsvc.retrieval.vector_search import ItemSearch
from recsvc.retrieval.word_index import WordIndex


class ItemSnapshot:
    """A fixed set of items with their texts and vectors. Only its inventory changes. `of` and `with_changes` make one.

    Args:
        bundle: The model, with all items.
        inventory: Which items may be listed now.
        similarity_vectors: (n, d), unit rows by which items are compared with items.
        word_index: The items by their words.
        item_search: Searches `bundle.item_vectors`.
        similarity_search: Searches `similarity_vectors`.
        text_search: Searches `bundle.text_codes`; None if the bundle has none.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        inventory: Inventory,
        similarity_vectors: SimilarityVectors,
        word_index: WordIndex,
        item_search: ItemSearch,
        similarity_search: ItemSearch,
        text_search: ItemSearch | None,
    ) -> None:
        self.bundle = bundle
        self.inventory = inventory
        self.similarity_vectors = similarity_vectors
        self.word_index = word_index
        self._item_search = item_search
        self._similarity_search = similarity_search
        self._text_search = text_search

    @classmethod
    def of(cls, bundle: Bundle, executor: Executor) -> "ItemSnapshot":
        """Takes the items of a bundle as it was trained. executor: runs the searches."""
        vectors = _similarity_vectors(bundle)
        derived = bundle.derived_columns if len(vectors) > FULL_PRECISION_ITEMS else None
        return cls(
            bundle,
            inventory=Inventory(bundle.catalogue, Table(len(bundle.catalogue), bundle.items_written)),
            similarity_vectors=vectors,
            word_index=WordIndex.open(bundle.catalogue.words),
            item_search=_item_search(bundle, derived, executor),
            similarity_search=_similarity_search(vectors, derived, executor),
            text_search=ItemSearch(bundle.text_codes, executor) if bundle.has_text_codes else None,
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many items there are: all, listable (may be listed now), and later (not in the main index as they are).

        Safe to read from any thread.
        """
        items, listable = len(self.bundle.catalogue), self.inventory.listable_items
        return {"all": items, "listable": listable, "later": len(self._item_search.delta_rows)}

    def search(self, vector: Floats, k: int, selection: Selection | None, bonus: Ranking = NOTHING) -> Awaitable[Rows]:
        """Returns rows that contain the k best items for a user vector and a bonus; see `ItemSearch.search`."""
        return self._item_search.search(vector, k, selection, bonus)

    def search_similar(self, vector: Floats, k: int, selection: Selection | None) -> Awaitable[Rows]:
        """Returns rows that contain the k most similar items to an item's similarity vector."""
        return self._similarity_search.search(vector, k, selection)

    def search_text(self, meaning: Floats, k: int, selection: Selection | None) -> Awaitable[Rows]:
        """Returns rows that contain the k items whose texts are nearest to the meaning of a query.

        Args:
            meaning: float32, (dim,) as `Bundle.projected` has it; (d,) for a bundle without text codes.
            k: How many items.
            selection: Where to look; None for all items.
        """
        return (self._text_search or self._item_search).search(meaning, k, selection)

    def text_scores(self, meaning: Floats, rows: Rows) -> Floats:
        """Returns how near the texts of m items are to the meaning of a query: cosines, float32 (m,)."""
        if self._text_search is None:
            return self.bundle.item_vectors[rows] @ meaning
        # Codes are not quite of equal length, which changes a cosine by less than their rounding does.
        return (self.bundle.text_codes[rows].astype(np.float32) @ meaning) / np.float32(CODE_SCALE)

    def category_scores(self, meaning: Floats) -> Floats:
        """Returns how near category paths are to the meaning of a query: cosines by code, float32 (c,)."""
        if self._text_search is None:
            return np.zeros(len(self.bundle.category_codes), np.float32)
        return decode_8_bits(self.bundle.category_codes) @ meaning

    async def warm_up(self) -> None:
        """Runs the first searches, which are slow."""
        await self._item_search.warm_up()
        if self._text_search is not None:
            await self._text_search.warm_up()

    async def with_changes(self, changes: Sequence[ItemChange]) -> "ItemSnapshot":
        """Returns the snapshot that has these changes: this one if none of them brings new words.

        Changes of price, stock and deletion are applied to this snapshot at once. New and reworded items make another
        snapshot, in a thread; requests that use this one may still be running.

        Only one call may run at a time, and meanwhile nothing else may apply changes.
        """
        inventory = self.inventory
        contents = [c.value for c in changes if isinstance(c.value, ItemContent) and inventory.is_news(c)]
        # Stock does not wait for the words. Words that fail are still news when they come again.
        inventory.apply(change for change in changes if change.field is not ItemField.CONTENT)
        if not contents:
            return self
        snapshot = await asyncio.to_thread(self._with_items, contents)
        snapshot.inventory.apply(changes)
        return snapshot

    def _with_items(self, contents: Sequence[ItemContent]) -> "ItemSnapshot":
        """Returns the snapshot that has these items too, with these words."""
        bundle = self.bundle.with_items(contents)
        rows = bundle.catalogue.rows(content.item.item_id for content in contents)
        vectors = _similarity_vectors(bundle)
        texts = {row: search_text(bundle.catalogue.items[row]) for row in rows.tolist()}
        before = self.bundle.catalogue.items
        earlier = {row: search_text(before[row]) for row in texts if row < len(before)}
        text_search = self._text_search.with_changed(bundle.text_codes, rows) if self._text_search is not None else None
        return ItemSnapshot(
            bundle,
            inventory=self.inventory.with_catalogue(bundle.catalogue),
            similarity_vectors=vectors,
            word_index=self.word_index.with_texts(texts, earlier),
            item_search=self._item_search.with_changed(bundle.item_vectors, rows),
            similarity_search=self._similarity_search.with_changed(vectors, rows),
            text_search=text_search,
        )


def _item_search(bundle: Bundle, derived: DerivedColumns | None, executor: Executor) -> ItemSearch:
    """Searches the vectors of a bundle's items: shortened, if training has measured that this finds them."""
    views, vectors = bundle.search_views, bundle.item_vectors
    full_scan = ScanIndex(*derived.items) if derived is not None else ScanIndex(vectors)
    if views is None:
        return ItemSearch(vectors, executor, main_index=full_scan, indexed=len(vectors))
    index = ShortenedScan(vectors, views, full_scan, derived.item_only if derived is not None else None)
    return ItemSearch(vectors, executor, main_index=index, indexed=len(vectors))


def _similarity_vectors(bundle: Bundle) -> SimilarityVectors:
    return SimilarityVectors(bundle.item_vectors, bundle.layout, bundle.model.fusion)


def _similarity_search(vectors: SimilarityVectors, derived: DerivedColumns | None, executor: Executor) -> ItemSearch:
    index = ScanIndex(*derived.similarity) if derived is not None else None
    return ItemSearch(vectors, executor, main_index=index, indexed=len(vectors))
