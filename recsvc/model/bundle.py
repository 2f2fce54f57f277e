"""A trained model in memory: items, their vectors, and the towers. `recsvc.model.bundle_files` stores it on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.records import ItemContent
from recsvc.model.catalogue import Catalogue
from recsvc.model.code_sums import CodeSums
from recsvc.model.derived_columns import DerivedColumns, Source, median_interval
from recsvc.model.growing import GrowingMatrix
from recsvc.model.manifest import moment, section
from recsvc.model.model_config import ModelConfig
from recsvc.model.neighbours import Neighbours
from recsvc.model.new_rows import NEW_ROWS, with_category_codes, with_rows
from recsvc.model.repeat_purchase import ItemRepeats
from recsvc.model.search_views import SearchViews
from recsvc.model.text_encoder import item_text
from recsvc.model.text_links import TextLinks
from recsvc.model.text_neighbours import mean_of_neighbours, nearest_bought
from recsvc.model.towers.blocks import FusionWeights, Layout
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.user import Towers, UserTower
from recsvc.model.vector_sums import VectorSums
from recsvc.model.vectors import decode_8_bits, encode_8_bits, projected, unit

# Texts that are read at a time. The features of 30,000 at once would take 200 MB.
_TEXTS_AT_ONCE = 2_048

_Nearest = tuple[NDArray[np.intp], NDArray[np.float32]]


@dataclass(frozen=True)
class Bundle:
    """A trained model. Arrays have one row for each of n items, in the catalogue's order.

    Attributes:
        catalogue: The items.
        item_vectors: float32 (n, d), with the blocks in the layout's columns.
        buyers: int32 (n,), different people who bought the item in the last `popularity_days` of the training data.
        purchases: int32 (n,), purchases of the item in the training data.
        cohorts: int32 (n,), different people who bought the item in the last `cohort_days` of the training data.
        companions: int32 (n, m), rows of items that many of the cohort bought too; -1 for none.
        companion_buyers: int32 (n, m), how many of the cohort bought each companion.
        repeat_rates: float32 (n,), see `ItemRepeats.rates`.
        repeat_intervals: float32 (n,), see `ItemRepeats.intervals`.
        neighbour_rows: int32 (n, m), see `Neighbours.rows`; (n, 0) in a bundle without neighbours.
        neighbour_weights: float16 (n, m), see `Neighbours.weights`.
        text_codes: int8 (n, dim), the text vector of each item in 8 bits; (n, 0) in a bundle of format 6.
        category_codes: int8 (c, dim), the same of each category path, by the code of `catalogue.paths`.
        text_projection: float32 (w, dim), takes the text encoder's vectors to those in the codes; (0, 0) if the codes
            hold the encoder's own. Its columns are orthonormal.
        features: Computes the text tower's input.
        text_tower: The text tower.
        sequence_tower: The sequence tower; None without that block.
        model: Configuration.
        provenance: The other fields of the manifest: how the bundle was made.
        bundle_id: Hash of the content; '' if the bundle was never stored.
        memory: Memory of the arrays to which items add rows, by name: for a stored bundle, and once items were added.
        links: Neighbours of the items that were added; None before, or if the model has no neighbours.
        sums: Of some item vectors, which may be those of an earlier copy; see `vector_sums`.
        search_views: Shortened vectors of the trained items; None if the bundle has none that find enough.
        derived: What was stored beside the bundle; it may be of an earlier copy. See `derived_columns`.
        known_code_sums: Of some items, which may be those of an earlier copy; see `code_sums`.
    """

    catalogue: Catalogue
    item_vectors: NDArray[np.float32]
    buyers: NDArray[np.int32]
    purchases: NDArray[np.int32]
    cohorts: NDArray[np.int32]
    companions: NDArray[np.int32]
    companion_buyers: NDArray[np.int32]
    repeat_rates: NDArray[np.float32]
    repeat_intervals: NDArray[np.float32]
    neighbour_rows: NDArray[np.int32]
    neighbour_weights: NDArray[np.float16]
    text_codes: NDArray[np.int8]
    category_codes: NDArray[np.int8]
    text_projection: NDArray[np.float32]
    features: TextFeatures
    text_tower: TextTower
    sequence_tower: SequenceTower | None
    model: ModelConfig
    provenance: dict[str, Any] = field(default_factory=dict)
    bundle_id: str = ""
    memory: Mapping[str, GrowingMatrix[Any]] = field(default_factory=dict, repr=False, compare=False)
    links: TextLinks | None = None
    sums: VectorSums | None = field(default=None, repr=False, compare=False)
    search_views: SearchViews | None = field(default=None, repr=False, compare=False)
    derived: DerivedColumns | None = field(default=None, repr=False, compare=False)
    known_code_sums: CodeSums | None = field(default=None, repr=False, compare=False)

    @property
    def layout(self) -> Layout:
        """The columns of each block in a vector."""
        sequence = self.model.sequence.dim if self.model.sequence is not None else 0
        return Layout.of(sequence, self.model.text.dim, self.model.lexical_dim, self.model.collaborative_dim)

    @property
    def vector_sums(self) -> VectorSums:
        """The sums over the item vectors. It takes a pass over all of them unless the bundle was stored."""
        is_own = self.sums and self.sums.item_vectors is self.item_vectors
        return self.sums if self.sums and is_own else VectorSums.of(self.item_vectors, self.layout)

    @cached_property
    def code_sums(self) -> CodeSums:
        """The sums over brands and category paths. It takes a pass over all items unless an earlier copy did."""
        sums = self.known_code_sums
        is_own = sums and sums.catalogue is self.catalogue and sums.purchases is self.purchases
        return sums if sums and is_own else CodeSums.of(self.catalogue, self.purchases)

    @property
    def source(self) -> Source:
        """The parts that the derived columns follow from."""
        return Source(self.item_vectors, self.neighbour_weights, self.repeat_intervals, self.layout, self.model.fusion)

    @property
    def derived_columns(self) -> DerivedColumns:
        """What follows from the content. It takes seconds to compute for a large bundle that was not stored with it."""
        return self._stored_derived or DerivedColumns.of(self.source)

    @property
    def _stored_derived(self) -> DerivedColumns | None:
        return self.derived if self.derived is not None and self.derived.source.is_same(self.source) else None

    @property
    def items_written(self) -> int:
        """When the shop wrote the table of the items, in microseconds since 1970 UTC; 0 if that is not known."""
        time = moment(section(self.provenance, "data").get("items_written"))
        return round(time.timestamp() * 1_000_000) if time is not None else 0

    @property
    def item_repeats(self) -> ItemRepeats:
        """How each item is bought again."""
        return ItemRepeats(self.repeat_rates, self.repeat_intervals, self.item_vectors[:, self.layout.prior.start])

    @property
    def neighbours(self) -> Neighbours:
        """The neighbours of each item."""
        return Neighbours(self.neighbour_rows, self.neighbour_weights, self.links)

    @property
    def has_text_codes(self) -> bool:
        """Whether the text encoder's vectors are known; a bundle of format 6 has none."""
        return bool(self.text_codes.shape[1])

    def text_vectors(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """The text vectors of m items, as stored in 8 bits, L2-normalised, float32 (m, dim)."""
        return decode_8_bits(self.text_codes[rows])

    def projected(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The text vectors of texts, which compare with those of `text_codes`.

        Args:
            embeddings: Of the text encoder, float32 (m, w).

        Returns:
            float32 (m, dim), L2-normalised.
        """
        return projected(embeddings, self.text_projection)

    def restored(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """The text encoder's vectors of m items, without what the projection and 8 bits lost, float32 (m, w)."""
        vectors = self.text_vectors(rows)
        return unit(vectors @ self.text_projection.T) if self.text_projection.size else vectors

    def user_tower(self, weights: FusionWeights | None = None) -> UserTower:
        """Builds the user tower.

        Args:
            weights: Used in place of the bundle's own, for ablation and tuning.
        """
        sums = self.vector_sums
        towers = Towers(
            self.text_tower,
            self.features,
            self.sequence_tower,
            sums.gram,
            sums.in_sequence,
            self.model.regularization,
            self.model.lexical_decay,
        )
        return UserTower(self.item_vectors, self.layout, weights or self.model.fusion, self.model.confidence, towers)

    def with_items(self, contents: Sequence[ItemContent]) -> "Bundle":
        """A copy with more items at the end, and with new words for items that it has.

        The model and its bundle_id stay, and a bought item keeps its vector, whatever its words are now; its text code
        follows its words. Both bundles may share memory: only the newest copy may be extended again.

        Args:
            contents: Words and embeddings of items, new or known.
        """
        catalogue = self.catalogue.with_items([content.item for content in contents])
        rows = catalogue.rows(content.item.item_id for content in contents)
        sums = self.vector_sums
        memory, grown = self._with_rows(len(catalogue) - len(self.catalogue))
        vectors, codes = grown["item_vectors"], grown["text_codes"]
        cold = grown["purchases"][rows] == 0
        embeddings = np.stack([content.embedding for content in contents])
        texts = [item_text(content.item) for content in contents]
        meanings = self.projected(embeddings) if self.has_text_codes else None
        nearest = self._nearest_bought(meanings)
        before = vectors[rows[cold]]  # zero for a new item
        vectors[rows[cold]] = self._vectors_near(nearest, self.vectors_of_texts(embeddings, texts))[cold]
        if meanings is not None:
            codes[rows] = encode_8_bits(meanings)
        return replace(
            self,
            catalogue=catalogue,
            category_codes=with_category_codes(self.category_codes, catalogue, rows, codes),
            memory=memory,
            links=self._links(len(catalogue), rows, nearest),
            sums=sums.with_rows(vectors, rows[cold], before, self.layout),
            known_code_sums=self.code_sums.with_items(catalogue, grown["purchases"], rows),
            **grown,
        )

    def _with_rows(self, more: int) -> tuple[dict[str, GrowingMatrix[Any]], dict[str, Any]]:
        """The arrays of `NEW_ROWS` with more rows, and their memory."""
        memory, grown = with_rows({name: getattr(self, name) for name in NEW_ROWS}, self.memory, more)
        if more:
            # How soon a new item is bought again is unknown, too: the median interval, as of the first late item.
            later, stored = self.repeat_intervals[len(self.neighbour_rows) :], self._stored_derived
            known = later[0] if len(later) else stored.median_interval if stored else None
            grown["repeat_intervals"][-more:] = median_interval(self.repeat_intervals) if known is None else known
        return memory, grown

    def _links(self, n: int, rows: NDArray[np.int32], nearest: _Nearest | None) -> TextLinks | None:
        """The links of n items, of which those of some rows are new or reworded."""
        added = rows >= len(self.neighbour_rows)
        if not self.model.neighbours.weight or not added.any():
            return self.links
        stored = self._stored_derived
        links = self.links or TextLinks.empty(self.neighbour_weights, stored.link_scale if stored else None)
        bought, cosines = nearest or (np.empty((len(rows), 0), np.intp), np.empty((len(rows), 0), np.float32))
        return links.with_items(n, rows[added], bought[added], cosines[added])

    def new_item_vectors(self, text_embeddings: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of items that nobody has bought: in each learned block, as the bought items of nearest text.

        A bundle without text codes, or a text that resembles none, has the vector of `vectors_of_texts`.

        Args:
            text_embeddings: Of the text encoder, float32 (n, w).
            texts: The items' texts, n of them.

        Returns:
            float32 (n, d).
        """
        vectors = self.vectors_of_texts(text_embeddings, texts)
        meanings = self.projected(text_embeddings) if self.has_text_codes else None
        return self._vectors_near(self._nearest_bought(meanings), vectors)

    def _nearest_bought(self, meanings: NDArray[np.float32] | None) -> _Nearest | None:
        """See `nearest_bought`; None without text codes, or if nobody has bought anything."""
        bought = np.flatnonzero(self.purchases > 0)
        return nearest_bought(meanings, self.text_codes, bought) if meanings is not None and len(bought) else None

    def _vectors_near(self, nearest: _Nearest | None, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Replaces the learned blocks of vectors by those of the nearest bought items, in place."""
        if nearest is not None:
            means = mean_of_neighbours(*nearest, self.item_vectors)
            known = means[:, self.layout.text].any(axis=1)
            for block in (self.layout.sequence, self.layout.text):  # whose vectors have length 1
                means[:, block] = unit(means[:, block])
            for block in (self.layout.sequence, self.layout.text, self.layout.collaborative):
                vectors[known, block] = means[known, block]
        return vectors

    def vectors_of_texts(self, text_embeddings: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts as the text tower reads them; only the blocks that read text have values.

        Args:
            text_embeddings: Of the text encoder, float32 (n, w).
            texts: The items' texts, n of them.

        Returns:
            float32 (n, d).
        """
        vectors = np.zeros((len(texts), self.item_vectors.shape[1]), np.float32)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            part = slice(start, start + _TEXTS_AT_ONCE)
            words = self.features.lexical.encode(texts[part])
            features = torch.from_numpy(self.features.whiten(np.concatenate((text_embeddings[part], words), axis=1)))
            with torch.inference_mode():
                vectors[part, self.layout.text] = self.text_tower.item_vectors(features).numpy()
            vectors[part, self.layout.lexical] = self.features.lexical.whitened(words, self.model.lexical_dim)
        vectors[:, self.layout.newness] = vectors[:, self.layout.unseen] = 1.0
        return vectors
