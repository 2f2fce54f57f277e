"""The sequence block: a causal transformer over learned item vectors, one a bought item.

The item side is a table: an item never bought in training has the zero vector, so this block says nothing of it.
"""

import torch
from torch import Tensor, nn

from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig


class SequenceTower(nn.Module):
    """The user side. The table of items is no part of it: in the bundle it is the block's columns of item vectors."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.start_token = nn.Parameter(0.02 * torch.randn(config.dim))
        self.transformer = CausalTransformer(config)

    def forward(self, sequence: Tensor) -> Tensor:
        """The user's sequence block after each event.

        sequence: (b, length, dim) unit item vectors, oldest first, padded at the end. Returns (b, 1 + length, dim),
        L2-normalised; position i has seen i events.
        """
        return self.transformer(self.start_token.expand(len(sequence), -1), sequence)  # type: ignore[no-any-return]
