"""The sequence block: a causal transformer over learned item vectors, one for each item that was bought.

The item side is a table. An item that was never bought in training has the zero vector, so this block scores it 0.
"""

import torch
from torch import Tensor, nn

from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig


class SequenceTower(nn.Module):
    """The user side. The bundle stores the table of items as the block's columns of the item vectors."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.start_token = nn.Parameter(0.02 * torch.randn(config.dim))
        self.transformer = CausalTransformer(config)

    def forward(self, sequence: Tensor) -> Tensor:
        """The user's sequence block after each event.

        Args:
            sequence: Unit item vectors, (b, length, dim), oldest first, padded at the end.

        Returns:
            (b, 1 + length, dim), L2-normalised; position i has read i events.
        """
        return self.transformer(self.start_token.expand(len(sequence), -1), sequence)  # type: ignore[no-any-return]  # torch types a call as Any
