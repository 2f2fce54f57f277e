"""Training the text block: a linear map of frozen text features on the item side, a transformer on the user side."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recsvc.towers.text import TextTower
from recsvc.towers.transformer import TransformerConfig
from training.config import TrainConfig
from training.next_item import Indices


class TextModel:
    """The tower with the text features that it learns from.

    features: float32 (n, f), the items'. profiles: float32 (u, f), the users', zero where has_profile (u,) is False.
    """

    def __init__(
        self,
        tower: TextTower,
        features: NDArray[np.float32],
        profiles: NDArray[np.float32],
        has_profile: NDArray[np.bool_],
        config: TrainConfig,
    ) -> None:
        self.tower = tower
        self._features, self._profiles = torch.from_numpy(features), torch.from_numpy(profiles)
        self._has_profile = has_profile
        self._profile_dropout = config.profile_dropout
        self._rng = np.random.default_rng(config.seed)

    @property
    def module(self) -> nn.Module:
        return self.tower

    @property
    def max_length(self) -> int:
        return self.tower.config.max_length

    def item_vectors(self, rows: Tensor | None) -> Tensor:
        return self.tower.item_vectors(self._features if rows is None else self._features[rows])

    def states(self, users: Indices, sequences: Tensor) -> Tensor:
        # Some profiles are hidden, so that the tower does not lean on them.
        shown = self._has_profile[users]
        if self.tower.training:
            shown = shown & (self._rng.random(len(users)) >= self._profile_dropout)
        first = self.tower.first_token(self._profiles[users], torch.from_numpy(shown))
        return self.tower(first, sequences)  # type: ignore[no-any-return]


def text_config(config: TrainConfig) -> TransformerConfig:
    return TransformerConfig(config.text_dim)


def item_block(tower: TextTower, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The text block of all items, float32 (n, text_dim)."""
    with torch.inference_mode():
        return tower.item_vectors(torch.from_numpy(features)).numpy()
