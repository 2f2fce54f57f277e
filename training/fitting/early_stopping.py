"""Stops the training of a tower when its own validation NDCG@10 stops improving, and keeps its best epoch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from recsvc.domain.arrays import Rows
from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory
from training.data.split import Holdout
from training.fitting.next_item import NextItemModel
from training.metrics import per_user

CUT = 10  # places of a list that are looked at
BATCH_USERS = 256


@dataclass(frozen=True)
class Curve:
    """How the training of a tower went.

    Attributes:
        losses: The mean loss of each epoch.
        ndcg: The validation NDCG@10 after each epoch; empty without validation users.
        best_epoch: The epoch whose weights were kept, from 1.
    """

    losses: list[float]
    ndcg: list[float]
    best_epoch: int


class EarlyStopping:
    """Measures a model after each epoch and decides whether training goes on.

    Args:
        model: The model in training.
        validation: Users whose next purchases it must rank; None only records the losses.
        confidence: Which events the model reads.
        patience: How many epochs without a better validation NDCG@10 stop the training.
        say: Is given a line to print after each epoch.
    """

    def __init__(
        self,
        model: NextItemModel,
        validation: Holdout | None,
        confidence: ConfidenceConfig,
        patience: int,
        say: Callable[[str], None],
    ) -> None:
        self._model = model
        self._validation = validation
        self._sequences: list[Rows] = []
        if validation is not None:
            self._sequences = [
                WeightedHistory.of(history, confidence).sequence[-model.max_length :]
                for history in validation.histories
            ]
        self._patience = patience
        self._say = say
        self._losses: list[float] = []
        self._ndcg: list[float] = []
        self._best_weights: dict[str, torch.Tensor] = {}

    def after_epoch(self, epoch: int, loss: float) -> bool:
        """Records an epoch, from 1, and its mean loss. Returns whether training goes on."""
        self._losses.append(loss)
        if self._validation is None:
            return True
        self._ndcg.append(validation_ndcg(self._model, self._validation, self._sequences))
        self._say(f"epoch {epoch}: loss {loss:.4f}, validation NDCG@10 of this block alone {self._ndcg[-1]:.4f}")
        if self._ndcg[-1] == max(self._ndcg):
            self._best_weights = {name: tensor.clone() for name, tensor in self._model.module.state_dict().items()}
        return epoch - self.curve.best_epoch < self._patience

    @property
    def curve(self) -> Curve:
        """The epochs so far; without validation the last epoch is the best."""
        best = int(np.argmax(self._ndcg)) + 1 if self._ndcg else len(self._losses)
        return Curve(self._losses, self._ndcg, best)

    def restore_best(self) -> None:
        """Gives the model the weights of its best epoch."""
        if self._best_weights:
            self._model.module.load_state_dict(self._best_weights)


@torch.inference_mode()
def validation_ndcg(model: NextItemModel, holdout: Holdout, sequences: list[Rows]) -> float:
    """The mean NDCG@10 when this model alone ranks every item. sequences: the rows that it reads of each user."""
    items = model.item_vectors(None)
    ranked: list[Rows] = []
    for start in range(0, len(holdout), BATCH_USERS):
        batch = sequences[start : start + BATCH_USERS]
        padded = torch.zeros(len(batch), max(1, *map(len, batch)), items.shape[1])
        for i, rows in enumerate(batch):
            padded[i, : len(rows)] = items[torch.from_numpy(rows.astype(np.int64))]
        states = model.states(holdout.users[start : start + BATCH_USERS], padded)
        last = states[torch.arange(len(batch)), torch.tensor([len(rows) for rows in batch])]
        scores = last @ items.T
        for i in range(len(batch)):
            scores[i, torch.from_numpy(holdout.excluded(start + i).astype(np.int64))] = -torch.inf
        ranked.extend(scores.topk(min(CUT, scores.shape[1])).indices.numpy().astype(np.int32))
    return float(per_user(ranked, holdout.targets)["ndcg@10"].mean())
