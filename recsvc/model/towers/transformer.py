"""The causal transformer of both sequence models. It reads item vectors in order and returns states as wide as these.

It is SASRec (Kang and McAuley, 2018) with pre-LN, GELU and a learned bias by distance (Raffel et al., 2020) in place of
absolute positions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class TransformerConfig:
    """The shape of a transformer. The dropouts act only in training.

    Attributes:
        dim: Of states and items.
        layers: How many layers.
        heads: Attention heads in each layer.
        max_length: Events that are read.
        dropout: Of the layers' outputs.
        input_dropout: Of the input.
        attention_dropout: Of the attention weights.
    """

    dim: int = 128
    layers: int = 2
    heads: int = 2
    max_length: int = 50
    dropout: float = 0.2
    input_dropout: float = 0.3
    attention_dropout: float = 0.2


class Dropout(nn.Module):
    """Dropout four times as fast as torch's on a CPU: it draws eight random bits for each value, not a double.

    Args:
        share: Of the values that are dropped, rounded to 1/256.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.dropped = round(share * 256)

    def forward(self, x: Tensor) -> Tensor:
        """Drops values in training, and scales the others."""
        if not self.training or not self.dropped:
            return x
        bits = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = (bits.view(torch.uint8)[: x.numel()] >= self.dropped).view(x.shape)
        return x * kept * (256 / (256 - self.dropped))


class CausalAttention(nn.Module):
    """Multi-head self-attention to earlier positions, with a learned bias for each head and distance."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, Dropout(config.attention_dropout)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        self.distance_bias = nn.Parameter(torch.zeros(config.heads, config.max_length + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (b, length, dim) to the same."""
        batch, length, dim = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        bias = self.bias_between(torch.arange(length, device=x.device))
        if self.training:
            weights = (q @ k.transpose(2, 3) * (dim // self.heads) ** -0.5 + bias).softmax(dim=-1)
            mixed = self.dropout(weights).to(v.dtype) @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        return self.out(mixed.transpose(1, 2).reshape(batch, length, dim))  # type: ignore[no-any-return]  # torch types a call as Any

    def bias_between(self, positions: Tensor) -> Tensor:
        """The bias of each head from each of p positions to each, by distance.

        Args:
            positions: (p,).

        Returns:
            (heads, p, p); minus infinity for later positions.
        """
        distance = positions[:, None] - positions
        return self.distance_bias[:, distance.clamp(min=0)].masked_fill(distance < 0, float("-inf"))


class TransformerLayer(nn.Module):
    """One layer: attention and a feed-forward network, each with pre-LN and a residual connection."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.dim)
        self.attention = CausalAttention(config)
        self.mlp_norm = nn.LayerNorm(config.dim)
        self.mlp = nn.Sequential(
            nn.Linear(config.dim, 4 * config.dim), nn.GELU(), nn.Linear(4 * config.dim, config.dim)
        )
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (b, length, dim) to the same."""
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))  # type: ignore[no-any-return]  # torch types a call as Any


class CausalTransformer(nn.Module):
    """Reads a first token and then items, and gives the state after each."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.input_norm = nn.LayerNorm(config.dim)
        self.input_dropout = Dropout(config.input_dropout)
        self.layers = nn.ModuleList(TransformerLayer(config) for _ in range(config.layers))
        self.output_norm = nn.LayerNorm(config.dim)

    def forward(self, first: Tensor, sequence: Tensor) -> Tensor:
        """The state after each event.

        Args:
            first: First tokens, (b, dim).
            sequence: Item vectors, (b, length, dim), oldest first, padded at the end.

        Returns:
            (b, 1 + length, dim), L2-normalised; position i has read i events.
        """
        x = self.input_dropout(self.input_norm(torch.cat((first[:, None], sequence), dim=1)))
        for layer in self.layers:
            x = layer(x)
        return functional.normalize(self.output_norm(x), dim=-1)
