"""The text block: frozen text features of the history's items through a causal transformer.

The item side is one linear map of the text features, L2-normalised; the user side reads those same vectors in order,
after the profile as first token, and ends as a vector in the same space. So an item never bought and a user who never
bought anything both have a place.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig


class TextTower(nn.Module):
    """Text features of items and profiles to the text block of item and user vectors.

    features: the width of the whitened text features.
    """

    def __init__(self, features: int, config: TransformerConfig) -> None:
        super().__init__()
        self.features, self.config = features, config
        self.item_projection = nn.Linear(features, config.dim, bias=False)
        # A profile is read as if it were an item's text, plus what training finds it means beyond that.
        self.profile_projection = nn.Linear(features, config.dim, bias=False)
        nn.init.zeros_(self.profile_projection.weight)
        self.profile_token = nn.Parameter(torch.zeros(config.dim))
        self.no_profile_token = nn.Parameter(0.02 * torch.randn(config.dim))
        self.transformer = CausalTransformer(config)

    def item_vectors(self, features: Tensor) -> Tensor:
        """(n, features) to (n, dim), L2-normalised; zero features give the zero vector."""
        return functional.normalize(self.item_projection(features), dim=-1)

    def first_token(self, profile_features: Tensor, has_profile: Tensor) -> Tensor:
        """(b, features) and bool (b,) to (b, dim): the profile's token, or the learned one for having none."""
        read = self.item_vectors(profile_features) + self.profile_projection(profile_features) + self.profile_token
        return torch.where(has_profile[:, None], read, self.no_profile_token)

    def forward(self, first: Tensor, sequence: Tensor) -> Tensor:
        """The user's text block after each event.

        first: (b, dim) from `first_token`. sequence: (b, length, dim) item vectors, oldest first, padded at the end.
        Returns (b, 1 + length, dim), L2-normalised; position i has seen i events.
        """
        return self.transformer(first, sequence)  # type: ignore[no-any-return]
