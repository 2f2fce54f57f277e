"""A trained model in memory: items, their vectors, and the towers. `recsvc.model.bundle_files` keeps it in a folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.records import ItemContent
from recsvc.model.catalogue import NO_CODE, Catalogue
from recsvc.model.repeat_purchase import ItemRepeats, RepeatConfig
from recsvc.model.text_encoder import item_text
from recsvc.model.towers.confidence import ConfidenceConfig
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig
from recsvc.model.towers.user import FusionWeights, Layout, Towers, UserTower
from recsvc.model.vectors import GrowingMatrix


@dataclass(frozen=True)
class ModelConfig:
    """What the towers and the ranking need to know beside the weights. Part of the bundle's identity.

    text: of the text tower, and text_features: the width of what it reads. sequence: None without that block.
    lexical_dim, collaborative_dim: widths of blocks, 0 for none. lexical_decay: see `recsvc.model.towers.user.Towers`.
    regularization: of the fold-in. history_length: how many events a user's history was cut to in training, newest
    kept. similar_from: the likeness from which two items count as similar. popularity_days: the window of `buyers`;
    cohort_days: that of `cohorts`.
    text_encoder: the language model's name; text_encoder_fingerprint: the sha256 of its weights.
    """

    text: TransformerConfig
    text_features: int
    sequence: TransformerConfig | None
    fusion: FusionWeights
    confidence: ConfidenceConfig
    repeats: RepeatConfig
    lexical_dim: int
    lexical_decay: float
    collaborative_dim: int
    regularization: float
    history_length: int
    similar_from: float
    popularity_days: int
    cohort_days: int
    text_encoder: str
    text_encoder_fingerprint: str


@dataclass(frozen=True)
class Bundle:
    """A trained model. Arrays have one row an item, n in all, in the catalogue's order.

    item_vectors: float32 (n, d), blocks in the layout's columns. buyers: int32 (n,), different people who bought the
    item in the last `popularity_days` of the training data. purchases: int32 (n,), all purchases in the training data.
    cohorts: int32 (n,), different people who bought the item in the last `cohort_days`; companions, companion_buyers:
    int32 (n, m), what many of them bought too, -1 for none, and how many. repeat_rates, repeat_intervals: float32 (n,),
    see `recsvc.model.repeat_purchase.ItemRepeats`.
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
    features: TextFeatures
    text_tower: TextTower
    sequence_tower: SequenceTower | None
    model: ModelConfig
    provenance: dict[str, Any] = field(default_factory=dict)
    bundle_id: str = ""
    # What the item vectors lie in, once items were added.
    growing: GrowingMatrix | None = field(default=None, repr=False, compare=False)

    @property
    def layout(self) -> Layout:
        model = self.model
        sequence = model.sequence.dim if model.sequence is not None else 0
        return Layout.of(sequence, model.text.dim, model.lexical_dim, model.collaborative_dim)

    @property
    def item_repeats(self) -> ItemRepeats:
        return ItemRepeats(self.repeat_rates, self.repeat_intervals, self.item_vectors[:, self.layout.prior.start])

    def user_tower(self, weights: FusionWeights | None = None) -> UserTower:
        """The user tower; `weights` in place of the bundle's own serve ablation and tuning."""
        factors = self.item_vectors[:, self.layout.collaborative].astype(np.float64)
        towers = Towers(
            self.text_tower,
            self.features,
            self.sequence_tower,
            factors.T @ factors,
            self.model.regularization,
            self.model.lexical_decay,
        )
        return UserTower(self.item_vectors, self.layout, weights or self.model.fusion, self.model.confidence, towers)

    def with_items(self, contents: Sequence[ItemContent]) -> "Bundle":
        """This bundle with more items at the end, and with new words for those it has. It is no other model: the
        bundle_id stays, and so does the vector of an item that people have bought, whatever its words are now. The two
        may share memory, and only the last in a row of such bundles may be given more.
        """
        catalogue = self.catalogue.with_items([content.item for content in contents])
        more = len(catalogue) - len(self.catalogue)
        rows = catalogue.rows(content.item.item_id for content in contents)
        growing = self.growing or GrowingMatrix(self.item_vectors)
        vectors, purchases = growing.extended(len(self.catalogue), more), np.pad(self.purchases, (0, more))
        cold = purchases[rows] == 0
        embeddings = np.stack([content.embedding for content in contents])
        texts = [item_text(content.item) for content in contents]
        vectors[rows[cold]] = self.new_item_vectors(embeddings, texts)[cold]
        return replace(
            self,
            catalogue=catalogue,
            item_vectors=vectors,
            buyers=np.pad(self.buyers, (0, more)),
            purchases=purchases,
            cohorts=np.pad(self.cohorts, (0, more)),
            companions=np.pad(self.companions, ((0, more), (0, 0)), constant_values=NO_CODE),
            companion_buyers=np.pad(self.companion_buyers, ((0, more), (0, 0))),
            # Nothing is known of how they are bought again: as the average item, and the typical one.
            repeat_rates=np.append(self.repeat_rates, np.ones(more, np.float32)),
            growing=growing,
            repeat_intervals=np.append(
                self.repeat_intervals, np.full(more, np.median(self.repeat_intervals), np.float32)
            ),
        )

    def new_item_vectors(self, text_embeddings: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """The item tower for items that nobody has bought: float32 (n, d) with the blocks that read text alone."""
        vectors = np.zeros((len(texts), self.item_vectors.shape[1]), np.float32)
        with torch.inference_mode():
            features = torch.from_numpy(self.features(text_embeddings, texts))
            vectors[:, self.layout.text] = self.text_tower.item_vectors(features).numpy()
        vectors[:, self.layout.lexical] = self.features.lexical.whitened(texts, self.model.lexical_dim)
        vectors[:, self.layout.newness] = vectors[:, self.layout.unseen] = 1.0
        return vectors
