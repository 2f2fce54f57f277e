"""The sequence block: a transformer and, tied to both its ends, a table of item vectors."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recsvc.domain.arrays import Floats
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.transformer import TransformerConfig
from training.config import TrainConfig
from training.fitting.event_sequences import EventSequences
from training.fitting.next_item import Indices
from training.fitting.packed_sequences import packed_states
from training.fitting.stage import Arrays, Stage
from training.fitting.tower_fit import TOWER_HYPERPARAMETERS, TowerRun, fit_tower

# The size of the table's entries at the start. Small beside the learning rate: items find their place within an epoch.
START_SCALE = 0.02
START_NOISE = 0.002  # standard deviation of the noise that is added to every entry


class SequenceModel(nn.Module):
    """The tower with its table of items.

    Args:
        start: float32 (n, dim), unit vectors that the items start from; a zero row starts from noise.
        config: Of the tower.
    """

    def __init__(self, start: Floats, config: TransformerConfig) -> None:
        super().__init__()
        self.tower = SequenceTower(config)
        table = torch.from_numpy(start) * START_SCALE * config.dim**0.5
        self.items = nn.Parameter(table + START_NOISE * torch.randn(table.shape))

    @property
    def module(self) -> nn.Module:
        """All parameters: the tower's and the table."""
        return self

    @property
    def max_length(self) -> int:
        """How many of a user's newest items are read."""
        return self.tower.config.max_length

    def item_vectors(self, rows: Tensor | None) -> Tensor:
        """Unit vectors (n, dim) of all items, or of `rows`."""
        return functional.normalize(self.items if rows is None else self.items[rows], dim=-1)

    def states(self, users: Indices, items: Tensor, lengths: Indices) -> Tensor:
        """See `training.fitting.packed_sequences.packed_states`."""
        first = self.tower.start_token.expand(len(users), -1)
        return packed_states(self.tower.transformer, first, items, lengths)

    @torch.inference_mode()
    def block(self, sequences: EventSequences) -> Floats:
        """The sequence block of all items, float32 (n, dim): zero for an item in no sequence, which learned nothing."""
        vectors: Floats = self.item_vectors(None).numpy().copy()
        bought = np.bincount(np.concatenate(sequences), minlength=len(vectors)) > 0
        vectors[~bought] = 0
        return vectors


def sequence_config(config: TrainConfig) -> TransformerConfig:
    """The shape of the tower, with the same dropout everywhere but in the attention, where it is halved."""
    return TransformerConfig(
        config.sequence_dim,
        dropout=config.sequence_dropout,
        input_dropout=config.sequence_dropout,
        attention_dropout=config.sequence_dropout / 2,
    )


def compute_sequence_tower(config: TrainConfig, model: SequenceModel, run: TowerRun) -> Arrays:
    """Trains the model in place; returns what `fit_tower` does."""
    return fit_tower(config, model, run, learning_rate=config.sequence_learning_rate, patience=config.sequence_patience)


SEQUENCE_TOWER = Stage(
    "sequence",
    (
        *TOWER_HYPERPARAMETERS,
        "sequence_dim",
        "sequence_epochs",
        "sequence_patience",
        "sequence_learning_rate",
        "sequence_dropout",
    ),
    compute_sequence_tower,
)
