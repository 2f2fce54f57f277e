"""Training that begins where an earlier bundle ended: with its text features, its towers and its items' vectors.

It takes fewer epochs to be as good; it does not make a better model, and words that are new since the earlier bundle's
features were fitted stay unknown. So train from nothing now and then.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsvc.errors import SettingsError
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import TextEncoder
from recsvc.model.towers.transformer import TransformerConfig
from recsvc.model.vectors import unit
from training.config import TrainConfig
from training.fitting.covisitation import CovisitationConfig, covisitation
from training.fitting.next_item import Rows
from training.fitting.sequence_tower import SequenceModel
from training.fitting.text_tower import TextModel


@dataclass(frozen=True)
class WarmStart:
    """bundle: the earlier one, of the language model and the widths that are trained now."""

    bundle: Bundle

    @staticmethod
    def of(folder: Path, config: TrainConfig, encoder: TextEncoder) -> "WarmStart":
        """Raises BundleError, and SettingsError where the settings ask for what the bundle is not."""
        earlier = bundles.load(folder)
        model = earlier.model
        sequence_dim = model.sequence.dim if model.sequence is not None else 0
        wanted = {
            "text_dim": (config.text_dim, model.text.dim),
            # A block that was dropped starts from nothing.
            "sequence_dim": (config.sequence_dim, sequence_dim or config.sequence_dim),
            "text_encoder": (encoder.fingerprint, model.text_encoder_fingerprint),
        }
        if wrong := [f"{name} was {was}, is {now}" for name, (now, was) in wanted.items() if now != was]:
            raise SettingsError(f"--warm-start {folder}: it was trained otherwise ({'; '.join(wrong)})")
        return WarmStart(earlier)

    def text(self, model: TextModel, catalogue: Catalogue, features: NDArray[np.float32]) -> None:
        """Gives the model the earlier tower's weights, and its items their vectors; a new item's is its text's."""
        model.tower.load_state_dict(self.bundle.text_tower.state_dict())
        model.start_from(self._vectors(catalogue, self.bundle.layout.text), features)

    def sequence(self, catalogue: Catalogue, histories: list[Rows], config: TransformerConfig) -> SequenceModel | None:
        """A model with the earlier tower's weights and its items' vectors, a new item in the middle of what it is
        bought with; None where the bundle has no such tower.
        """
        if self.bundle.sequence_tower is None:
            return None
        vectors = self._vectors(catalogue, self.bundle.layout.sequence)
        new = ~vectors.any(axis=1)
        together = covisitation(histories, len(catalogue), CovisitationConfig())
        vectors[new] = unit((together[new] + together.T.tocsr()[new]) @ vectors)
        model = SequenceModel(vectors, config)
        model.tower.load_state_dict(self.bundle.sequence_tower.state_dict())
        return model

    def _vectors(self, catalogue: Catalogue, columns: slice) -> NDArray[np.float32]:
        """Each item's in the earlier bundle, by its id; zero for a new one."""
        vectors = np.zeros((len(catalogue), columns.stop - columns.start), np.float32)
        places = [(row, self.bundle.catalogue.row(item.item_id)) for row, item in enumerate(catalogue.items)]
        known = np.array([(row, place) for row, place in places if place is not None], np.intp).reshape(-1, 2)
        vectors[known[:, 0]] = self.bundle.item_vectors[known[:, 1], columns]
        return vectors
