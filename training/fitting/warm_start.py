"""Starts training from an earlier bundle: from its text features, its towers and its items' vectors.

It takes fewer epochs to become as good; it does not make a better model. Words that are new since the features of the
earlier bundle were fitted stay unknown, so train from nothing from time to time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.errors import SettingsError
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import TextEncoder
from recsvc.model.towers.transformer import TransformerConfig
from recsvc.model.vectors import unit
from training.config import TrainConfig
from training.fitting.covisitation import CovisitationConfig, covisitation
from training.fitting.event_sequences import EventSequences
from training.fitting.sequence_tower import SequenceModel
from training.fitting.text_tower import TextModel


@dataclass(frozen=True)
class WarmStart:
    """Where the towers start.

    Attributes:
        bundle: The earlier bundle, with the language model and the widths of the one to train.
    """

    bundle: Bundle

    @staticmethod
    def of(folder: Path, config: TrainConfig, encoder: TextEncoder) -> "WarmStart":
        """Loads the earlier bundle.

        Raises:
            BundleError: The folder holds no bundle.
            SettingsError: The bundle has other widths or another language model than the settings ask for.
        """
        earlier = bundles.load(folder)
        model = earlier.model
        sequence_dim = model.sequence.dim if model.sequence is not None else 0
        compared = {
            "text_dim": (config.text_dim, model.text.dim),
            # A block that was dropped starts from nothing.
            "sequence_dim": (config.sequence_dim, sequence_dim or config.sequence_dim),
            "text_encoder": (encoder.fingerprint, model.text_encoder_fingerprint),
        }
        if different := [f"{name} was {was}, is {now}" for name, (now, was) in compared.items() if now != was]:
            raise SettingsError(f"--warm-start {folder}: it was trained with other settings ({'; '.join(different)})")
        return WarmStart(earlier)

    def start_text(self, model: TextModel, catalogue: Catalogue, features: Floats) -> None:
        """Gives the model the earlier tower's weights, and its items their earlier vectors.

        The vector of a new item is that of its text. features: float32 (n, f), of the items.
        """
        model.tower.load_state_dict(self.bundle.text_tower.state_dict())
        model.start_from(self._vectors(catalogue, self.bundle.layout.text), features)

    def sequence_model(
        self, catalogue: Catalogue, sequences: EventSequences, config: TransformerConfig
    ) -> SequenceModel | None:
        """A model with the earlier tower's weights and its items' vectors; None if the bundle has no such tower.

        A new item starts in the middle of the items that it is bought with.
        """
        if self.bundle.sequence_tower is None:
            return None
        vectors = self._vectors(catalogue, self.bundle.layout.sequence)
        new = ~vectors.any(axis=1)
        together = covisitation(sequences, len(catalogue), CovisitationConfig())
        vectors[new] = unit((together[new] + together.T.tocsr()[new]) @ vectors)
        model = SequenceModel(vectors, config)
        model.tower.load_state_dict(self.bundle.sequence_tower.state_dict())
        return model

    def _vectors(self, catalogue: Catalogue, columns: slice) -> Floats:
        """Each item's vector in the earlier bundle, by its id; zero for a new one."""
        vectors = np.zeros((len(catalogue), columns.stop - columns.start), np.float32)
        earlier_rows = [(row, self.bundle.catalogue.row(item.item_id)) for row, item in enumerate(catalogue.items)]
        kept = np.array([(row, earlier) for row, earlier in earlier_rows if earlier is not None], np.intp)
        now, before = kept.reshape(-1, 2).T
        vectors[now] = self.bundle.item_vectors[before, columns]
        return vectors
