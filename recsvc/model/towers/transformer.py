"""The causal transformer that both sequence models are: reads item vectors in order, ends in the same space.

SASRec's (Kang and McAuley, 2018) with pre-LN, GELU and a learned bias by distance (Raffel et al., 2020) in place of
absolute positions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class TransformerConfig:
    """dim: of states and items. max_length: how many events are read. The dropouts act in training alone; input_dropout
    on what is read, attention_dropout on who looks at whom.
    """

    dim: int = 128
    layers: int = 2
    heads: int = 2
    max_length: int = 50
    dropout: float = 0.2
    input_dropout: float = 0.3
    attention_dropout: float = 0.2


class Dropout(nn.Module):
    """What torch's does, four times as fast on a CPU: eight bits decide of each value, not one draw of a double."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.dropped = round(share * 256)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.dropped:
            return x
        bits = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = (bits.view(torch.uint8)[: x.numel()] >= self.dropped).view(x.shape)
        return x * kept * (256 / (256 - self.dropped))


class CausalAttention(nn.Module):
    """Multi-head self-attention over the past, with a learned bias for each head and distance."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, Dropout(config.attention_dropout)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        self.distance_bias = nn.Parameter(torch.zeros(config.heads, config.max_length + 1))

    def forward(self, x: Tensor) -> Tensor:
        """(b, length, dim) to the same."""
        batch, length, dim = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        bias = self.bias_between(torch.arange(length, device=x.device))
        if self.training:
            looks = (q @ k.transpose(2, 3) * (dim // self.heads) ** -0.5 + bias).softmax(dim=-1)
            mixed = self.dropout(looks).to(v.dtype) @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        return self.out(mixed.transpose(1, 2).reshape(batch, length, dim))  # type: ignore[no-any-return]

    def bias_between(self, positions: Tensor) -> Tensor:
        """(heads, p, p): of each head from each of p positions to each, by how far back; the future is out of sight."""
        distance = positions[:, None] - positions
        return self.distance_bias[:, distance.clamp(min=0)].masked_fill(distance < 0, float("-inf"))


class TransformerLayer(nn.Module):
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
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))  # type: ignore[no-any-return]


class CausalTransformer(nn.Module):
    """A first token and the items after it, to the state after each of them."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.input_norm = nn.LayerNorm(config.dim)
        self.input_dropout = Dropout(config.input_dropout)
        self.layers = nn.ModuleList(TransformerLayer(config) for _ in range(config.layers))
        self.output_norm = nn.LayerNorm(config.dim)

    def forward(self, first: Tensor, sequence: Tensor) -> Tensor:
        """first: (b, dim). sequence: (b, length, dim) item vectors, oldest first, padded at the end.

        Returns (b, 1 + length, dim), L2-normalised; position i has seen i events.
        """
        x = self.input_dropout(self.input_norm(torch.cat((first[:, None], sequence), dim=1)))
        for layer in self.layers:
            x = layer(x)
        return functional.normalize(self.output_norm(x), dim=-1)
