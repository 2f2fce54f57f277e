"""Training the sequence block: the transformer and, tied to both its ends, a table of item vectors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.transformer import TransformerConfig
from training.config import TrainConfig
from training.fitting.covisitation import CovisitationConfig, covisitation, covisitation_factors
from training.fitting.next_item import Indices, Rows

# Of the table's entries at the start. Small beside the learning rate: items find their place within an epoch.
ENTRY = 0.02
NOISE = 0.002


class SequenceModel(nn.Module):
    """The tower with its table of items."""

    def __init__(self, start: NDArray[np.float32], config: TransformerConfig) -> None:
        """start: float32 (n, dim), unit rows that the items start from; a zero row starts from noise."""
        super().__init__()
        self.tower = SequenceTower(config)
        table = torch.from_numpy(start) * ENTRY * config.dim**0.5
        self.items = nn.Parameter(table + NOISE * torch.randn(table.shape))

    @property
    def module(self) -> nn.Module:
        return self

    @property
    def max_length(self) -> int:
        return self.tower.config.max_length

    def item_vectors(self, rows: Tensor | None) -> Tensor:
        return functional.normalize(self.items if rows is None else self.items[rows], dim=-1)

    def states(self, users: Indices, sequences: Tensor) -> Tensor:
        return self.tower(sequences)  # type: ignore[no-any-return]


def sequence_config(config: TrainConfig) -> TransformerConfig:
    return TransformerConfig(
        config.sequence_dim,
        dropout=config.sequence_dropout,
        input_dropout=config.sequence_dropout,
        attention_dropout=config.sequence_dropout / 2,
    )


def start_vectors(sequences: list[Rows], n_items: int, config: TrainConfig) -> NDArray[np.float32]:
    """Where the items start: float32 (n_items, sequence_dim) factors of co-visitation."""
    matrix = covisitation(sequences, n_items, CovisitationConfig())
    return covisitation_factors(matrix, config.sequence_dim, config.seed)
