"""Stops the training of a tower when its own validation NDCG@10 stops improving, and keeps its best epoch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsvc.domain.arrays import Rows
from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory
from training.data.split import Holdout
from training.fitting.next_item import Indices, NextItemModel
from training.fitting.packed_sequences import last_states
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
    ranked: dict[int, Rows] = {}
    # Users with histories of similar length share a batch.
    order = np.argsort([len(rows) for rows in sequences], kind="stable")
    for start in range(0, len(order), BATCH_USERS):
        batch = order[start : start + BATCH_USERS]
        scores = latest_states(model, items, holdout.users[batch], [sequences[i] for i in batch]) @ items.T
        for j, i in enumerate(batch):
            scores[j, torch.from_numpy(holdout.excluded(i).astype(np.int64))] = -torch.inf
        best = scores.topk(min(CUT, scores.shape[1])).indices.numpy().astype(np.int32)
        ranked.update(zip(batch.tolist(), best, strict=True))
    return float(per_user([ranked[i] for i in range(len(holdout))], holdout.targets)["ndcg@10"].mean())


def latest_states(model: NextItemModel, items: Tensor, users: Indices, sequences: list[Rows]) -> Tensor:
    """The unit states (b, dim) of these users after all items of their sequences. items: the vectors of all items."""
    lengths = np.array([len(rows) for rows in sequences], np.intp)
    flat = torch.from_numpy(np.concatenate(sequences).astype(np.int64))
    return last_states(model.states(users, items.index_select(0, flat), lengths), lengths)
