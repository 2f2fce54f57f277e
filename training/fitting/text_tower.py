"""Training the text block: a linear map of frozen text features on the item side, a transformer on the user side.

An item that was bought also learns an offset of its own, at most OFFSET long beside its text's unit vector: what its
buyers know and its text does not say. Without one the map alone has to tell all items apart and underfits; without a
bound the text would no longer matter, and new items, which have no offset, would lie elsewhere.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig
from training.config import TrainConfig
from training.fitting.next_item import Indices

OFFSET = 0.5


class TextModel(nn.Module):
    """The tower with the text features that it learns from, and the items' offsets.

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
        super().__init__()
        self.tower = tower
        self.offsets = nn.Parameter(torch.zeros(len(features), config.text_dim))
        # In bfloat16: half of a training step is reading all of them.
        self._features, self._profiles = torch.from_numpy(features).bfloat16(), torch.from_numpy(profiles)
        self._has_profile = has_profile
        self._profile_dropout = config.profile_dropout
        self._rng = np.random.default_rng(config.seed)

    @torch.no_grad()
    def start_from(self, vectors: NDArray[np.float32], features: NDArray[np.float32]) -> None:
        """Gives each item the shortest offset with which it is where `vectors`, float32 (n, text_dim), say; a zero row
        none.
        """
        read, wanted = self.tower.item_vectors(torch.from_numpy(features)), torch.from_numpy(vectors)
        offsets = (read * wanted).sum(dim=-1, keepdim=True) * wanted - read
        length = offsets.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        unbounded = OFFSET * torch.atanh((length / OFFSET).clamp(max=0.99)) / length
        self.offsets.copy_(torch.where(wanted.any(dim=-1, keepdim=True), offsets * unbounded, 0.0))

    @property
    def module(self) -> nn.Module:
        return self

    @property
    def max_length(self) -> int:
        return self.tower.config.max_length

    def item_vectors(self, rows: Tensor | None) -> Tensor:
        features = self._features if rows is None else self._features[rows]
        with torch.autocast("cpu", torch.bfloat16):
            read = self.tower.item_vectors(features).float()
        return self._moved(read, self.offsets if rows is None else self.offsets[rows])

    def states(self, users: Indices, sequences: Tensor) -> Tensor:
        # Some profiles are hidden, so that the tower does not lean on them.
        shown = self._has_profile[users]
        if self.training:
            shown = shown & (self._rng.random(len(users)) >= self._profile_dropout)
        first = self.tower.first_token(self._profiles[users], torch.from_numpy(shown))
        return self.tower(first, sequences)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def block(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The text block of all items, float32 (n, text_dim). features: theirs, of full precision."""
        return self._moved(self.tower.item_vectors(torch.from_numpy(features)), self.offsets).numpy()

    @staticmethod
    def _moved(read: Tensor, offsets: Tensor) -> Tensor:
        length = offsets.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        return functional.normalize(read + offsets * (OFFSET * torch.tanh(length / OFFSET) / length), dim=-1)


def text_config(config: TrainConfig) -> TransformerConfig:
    return TransformerConfig(config.text_dim)
