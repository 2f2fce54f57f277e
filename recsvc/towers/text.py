"""The text block: frozen text features of the history's items through a causal transformer.

The item side is one linear map of the text features, L2-normalised; the user side reads those same vectors in order,
after the profile as first token, and ends as a vector in the same space. So an item never bought and a user who never
bought anything both have a place. The transformer is SASRec's (Kang and McAuley, 2018) with pre-LN, GELU and a learned
bias by distance (Raffel et al., 2020) in place of absolute positions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class TextTowerConfig:
    """features: the width of the whitened text features. dim: of the block. max_length: how many events are read."""

    features: int
    dim: int = 128
    layers: int = 2
    heads: int = 2
    max_length: int = 50
    dropout: float = 0.2
    input_dropout: float = 0.3


class CausalAttention(nn.Module):
    """Multi-head self-attention over the past, with a learned bias for each head and distance."""

    def __init__(self, config: TextTowerConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        self.distance_bias = nn.Parameter(torch.zeros(config.heads, config.max_length + 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, dim = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        positions = torch.arange(length, device=x.device)
        distance = positions[:, None] - positions[None, :]
        bias = self.distance_bias[:, distance.clamp(min=0)].masked_fill(distance < 0, float("-inf"))
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), dropout_p=dropout)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, dim))  # type: ignore[no-any-return]


class TransformerLayer(nn.Module):
    def __init__(self, config: TextTowerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.dim)
        self.attention = CausalAttention(config)
        self.mlp_norm = nn.LayerNorm(config.dim)
        self.mlp = nn.Sequential(
            nn.Linear(config.dim, 4 * config.dim), nn.GELU(), nn.Linear(4 * config.dim, config.dim)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))  # type: ignore[no-any-return]


class TextTower(nn.Module):
    """Text features of items and profiles to the text block of item and user vectors."""

    def __init__(self, config: TextTowerConfig) -> None:
        super().__init__()
        self.config = config
        self.item_projection = nn.Linear(config.features, config.dim, bias=False)
        # A profile is read as if it were an item's text, plus what training finds it means beyond that.
        self.profile_projection = nn.Linear(config.features, config.dim, bias=False)
        nn.init.zeros_(self.profile_projection.weight)
        self.profile_token = nn.Parameter(torch.zeros(config.dim))
        self.no_profile_token = nn.Parameter(0.02 * torch.randn(config.dim))
        self.input_norm = nn.LayerNorm(config.dim)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.layers = nn.ModuleList(TransformerLayer(config) for _ in range(config.layers))
        self.output_norm = nn.LayerNorm(config.dim)

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
        x = self.input_dropout(self.input_norm(torch.cat((first[:, None], sequence), dim=1)))
        for layer in self.layers:
            x = layer(x)
        return functional.normalize(self.output_norm(x), dim=-1)
