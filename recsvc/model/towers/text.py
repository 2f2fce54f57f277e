"""The text block: a causal transformer over the text features of the history's items.

The item side is one linear map of the text features, L2-normalised. The user side reads those vectors in order, with
the profile as the first token, and gives a vector in the same space. So an item that nobody bought, and a user who
bought nothing, both have a vector.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig


class TextTower(nn.Module):
    """Maps text features of items and profiles to the text block of item and user vectors.

    Args:
        features: Width of the whitened text features.
        config: Of the transformer.
    """

    def __init__(self, features: int, config: TransformerConfig) -> None:
        super().__init__()
        self.features, self.config = features, config
        self.item_projection = nn.Linear(features, config.dim, bias=False)
        # A profile is read like an item's text, plus a projection that training learns for profiles.
        self.profile_projection = nn.Linear(features, config.dim, bias=False)
        nn.init.zeros_(self.profile_projection.weight)
        self.profile_token = nn.Parameter(torch.zeros(config.dim))
        self.no_profile_token = nn.Parameter(0.02 * torch.randn(config.dim))
        self.transformer = CausalTransformer(config)

    def item_vectors(self, features: Tensor) -> Tensor:
        """Maps (n, features) to (n, dim), L2-normalised. Zero features give the zero vector."""
        return functional.normalize(self.item_projection(features), dim=-1)

    def first_token(self, profile_features: Tensor, has_profile: Tensor) -> Tensor:
        """The first token of each sequence: the profile's, or a learned one for users without a profile.

        Args:
            profile_features: (b, features).
            has_profile: Bool (b,).

        Returns:
            (b, dim).
        """
        token = self.item_vectors(profile_features) + self.profile_projection(profile_features) + self.profile_token
        return torch.where(has_profile[:, None], token, self.no_profile_token)

    def forward(self, first: Tensor, sequence: Tensor) -> Tensor:
        """The user's text block after each event.

        Args:
            first: From `first_token`, (b, dim).
            sequence: Item vectors, (b, length, dim), oldest first, padded at the end.

        Returns:
            (b, 1 + length, dim), L2-normalised; position i has read i events.
        """
        return self.transformer(first, sequence)  # type: ignore[no-any-return]  # torch types a call as Any
