"""Whether a block still gets better: its own validation NDCG@10 after each epoch, and the weights of the best."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory
from training.data.split import Holdout
from training.fitting.next_item import NextItemModel
from training.metrics import per_user

CUT = 10
BATCH = 256


@dataclass(frozen=True)
class Curve:
    """How a block came along: mean loss and validation NDCG@10 after each epoch (none without a validation holdout),
    and the epoch kept, from 1.
    """

    losses: list[float]
    ndcg: list[float]
    best_epoch: int


class EarlyStopping:
    """Called after each epoch; says whether to go on. Without a holdout it only takes notes.

    say: is given a line for people after each epoch.
    """

    def __init__(
        self,
        model: NextItemModel,
        validation: Holdout | None,
        confidence: ConfidenceConfig,
        max_length: int,
        patience: int,
        say: Callable[[str], None],
    ) -> None:
        self._model = model
        self._validation = validation
        self._sequences = []
        if validation is not None:
            self._sequences = [WeightedHistory.of(h, confidence).sequence[-max_length:] for h in validation.histories]
        self._patience = patience
        self._say = say
        self._losses: list[float] = []
        self._ndcg: list[float] = []
        self._best: dict[str, torch.Tensor] = {}

    def __call__(self, epoch: int, loss: float) -> bool:
        self._losses.append(loss)
        if self._validation is None:
            return True
        self._ndcg.append(validation_ndcg(self._model, self._validation, self._sequences))
        self._say(f"epoch {epoch}: loss {loss:.4f}, alone it has validation NDCG@10 {self._ndcg[-1]:.4f}")
        if self._ndcg[-1] == max(self._ndcg):
            self._best = {name: tensor.clone() for name, tensor in self._model.module.state_dict().items()}
        return epoch - self.curve.best_epoch < self._patience

    @property
    def curve(self) -> Curve:
        best = int(np.argmax(self._ndcg)) + 1 if self._ndcg else len(self._losses)
        return Curve(self._losses, self._ndcg, best)

    def restore(self) -> None:
        """Gives the model the weights of its best epoch."""
        if self._best:
            self._model.module.load_state_dict(self._best)


@torch.inference_mode()
def validation_ndcg(model: NextItemModel, holdout: Holdout, sequences: list[NDArray[np.int32]]) -> float:
    """Mean NDCG@10 of ranking every item by the model alone. sequences: what it may read of each user."""
    items = model.item_vectors(None)
    ranked: list[NDArray[np.int32]] = []
    for start in range(0, len(holdout), BATCH):
        part = sequences[start : start + BATCH]
        padded = torch.zeros(len(part), max(1, *map(len, part)), items.shape[1])
        for i, rows in enumerate(part):
            padded[i, : len(rows)] = items[torch.from_numpy(rows.astype(np.int64))]
        states = model.states(holdout.users[start : start + BATCH], padded)
        last = states[torch.arange(len(part)), torch.tensor([len(rows) for rows in part])]
        scores = last @ items.T
        for i in range(len(part)):
            scores[i, torch.from_numpy(holdout.excluded(start + i).astype(np.int64))] = -torch.inf
        ranked.extend(scores.topk(min(CUT, scores.shape[1])).indices.numpy().astype(np.int32))
    return float(per_user(ranked, holdout.targets)["ndcg@10"].mean())
