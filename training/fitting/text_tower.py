"""The text block: a linear map of frozen text features on the item side, a transformer on the user side.

A bought item also learns an offset of its own from its text's unit vector, at most OFFSET long. It holds what
purchases show about the item and its text does not. Without offsets the map alone has to tell all items apart, and
underfits. Without a bound the text would no longer matter, and new items, which have no offset, would lie elsewhere.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recsvc.domain.arrays import Floats
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.fitting.next_item import Indices
from training.fitting.packed_sequences import packed_states
from training.fitting.stage import Arrays, Stage
from training.fitting.text_features import TEXT_FEATURES, ShopText
from training.fitting.tower_fit import TOWER_HYPERPARAMETERS, TowerRun, fit_tower

OFFSET = 0.5  # the longest; the vector of an item's text is 1 long


class TextModel(nn.Module):
    """The tower with the text features that it learns from, and the items' offsets.

    Args:
        tower: The tower to train.
        features: float32 (n, f), of the items.
        profiles: float32 (u, f), of the users; zero where `has_profile` is False.
        has_profile: bool (u,).
        config: Widths, the share of hidden profiles, and the seed.
    """

    def __init__(
        self, tower: TextTower, features: Floats, profiles: Floats, has_profile: NDArray[np.bool_], config: TrainConfig
    ) -> None:
        super().__init__()
        self.tower = tower
        self.offsets = nn.Parameter(torch.zeros(len(features), config.text_dim))
        # In bfloat16: half of a training step is reading all of them.
        self._features, self._profiles = torch.from_numpy(features).bfloat16(), torch.from_numpy(profiles)
        self._has_profile = has_profile
        self._profile_dropout = config.profile_dropout
        self._rng = np.random.default_rng(config.seed)

    @staticmethod
    def of(text: ShopText, interactions: Interactions, config: TrainConfig) -> "TextModel":
        """An untrained model of a shop's items and of the users of `interactions`. Draws from torch's generator."""
        profiles = text.of_users(interactions.user_ids).texts
        has_profile = np.array([profile is not None for profile in profiles])
        features = np.zeros((len(profiles), text.item_features.shape[1]), np.float32)
        if has_profile.any():
            present = [profile for profile in profiles if profile is not None]
            features[has_profile] = text.features.transform(
                np.stack([profile.embedding for profile in present]), [profile.text for profile in present]
            )
        tower = TextTower(text.item_features.shape[1], text_config(config))
        return TextModel(tower, text.item_features, features, has_profile, config)

    @torch.no_grad()
    def start_from(self, vectors: Floats, features: Floats) -> None:
        """Gives each item the shortest offset that puts it in the direction of its row of `vectors`.

        Args:
            vectors: float32 (n, text_dim), unit vectors; an item with a zero row gets no offset.
            features: float32 (n, f), of the items.
        """
        texts, targets = self.tower.item_vectors(torch.from_numpy(features)), torch.from_numpy(vectors)
        offsets = (texts * targets).sum(dim=-1, keepdim=True) * targets - texts
        length = offsets.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        unbounded = OFFSET * torch.atanh((length / OFFSET).clamp(max=0.99)) / length
        self.offsets.copy_(torch.where(targets.any(dim=-1, keepdim=True), offsets * unbounded, 0.0))

    @property
    def module(self) -> nn.Module:
        """All parameters: the tower's and the offsets."""
        return self

    @property
    def max_length(self) -> int:
        """How many of a user's newest items are read."""
        return self.tower.config.max_length

    def item_vectors(self, rows: Tensor | None) -> Tensor:
        """Unit vectors (n, dim) of all items, or of `rows`."""
        features = self._features if rows is None else self._features[rows]
        with torch.autocast("cpu", torch.bfloat16):
            texts = self.tower.item_vectors(features).float()
        return self._with_offsets(texts, self.offsets if rows is None else self.offsets[rows])

    def states(self, users: Indices, items: Tensor, lengths: Indices) -> Tensor:
        """See `training.fitting.packed_sequences.packed_states`."""
        # Some profiles are hidden, so that the tower does not lean on them.
        shown = self._has_profile[users]
        if self.training:
            shown = shown & (self._rng.random(len(users)) >= self._profile_dropout)
        if shown.any():
            first = self.tower.first_token(self._profiles[users], torch.from_numpy(shown))
        else:  # most shops have no profiles, and reading none takes as long as reading some
            first = self.tower.no_profile_token.expand(len(users), -1)
        return packed_states(self.tower.transformer, first, items, lengths)

    @torch.inference_mode()
    def block(self, features: Floats) -> Floats:
        """The text block of all items, float32 (n, text_dim), from their features in full precision."""
        return self._with_offsets(self.tower.item_vectors(torch.from_numpy(features)), self.offsets).numpy()

    @staticmethod
    def _with_offsets(texts: Tensor, offsets: Tensor) -> Tensor:
        length = offsets.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        bounded = offsets * (OFFSET * torch.tanh(length / OFFSET) / length)
        return functional.normalize(texts + bounded, dim=-1)


def text_config(config: TrainConfig) -> TransformerConfig:
    """The shape of the tower."""
    return TransformerConfig(config.text_dim)


def compute_text_tower(config: TrainConfig, model: TextModel, run: TowerRun) -> Arrays:
    """Trains the model in place; returns what `fit_tower` does."""
    return fit_tower(config, model, run, learning_rate=config.text_learning_rate, patience=config.text_patience)


TEXT_TOWER = Stage(
    "text",
    (
        *TOWER_HYPERPARAMETERS,
        *TEXT_FEATURES.hyperparameters,
        "text_dim",
        "text_epochs",
        "text_patience",
        "text_learning_rate",
        "profile_dropout",
    ),
    compute_text_tower,
)
