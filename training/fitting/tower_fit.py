"""Fits one tower: trains it until validation stops improving, and returns the weights of its best epoch."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch

from training.config import TrainConfig
from training.data.split import Holdout
from training.fitting.early_stopping import Curve, EarlyStopping
from training.fitting.event_sequences import SEQUENCE_HYPERPARAMETERS, EventSequences, confidence_config
from training.fitting.next_item import NextItemModel, Sequences, batches_an_epoch, fit_next_item
from training.fitting.stage import Arrays, OpenProgress

# The settings that every tower depends on, beside those with its own name.
TOWER_HYPERPARAMETERS = (
    *SEQUENCE_HYPERPARAMETERS,
    "history_length",
    "stopping_users",
    "warm_start_rate",
    "seed",
    "temperature",
    "epoch_events",
    "batch_events",
    "full_softmax_items",
    "sampled_items",
)


@dataclass(frozen=True, kw_only=True)
class TowerRun:
    """The data and the limits of one training run.

    Attributes:
        name: Of the tower, as it is printed.
        sequences: The events to learn from, for each user.
        validation: Users whose next purchases stop the training; None trains for all epochs.
        epochs: How many at most.
        warm: True where the tower starts from an earlier bundle: it then learns at a lower rate.
        open_progress: Opens a progress bar over the batches.
        say: Is given a line to print after each epoch.
    """

    name: str
    sequences: EventSequences
    validation: Holdout | None
    epochs: int
    warm: bool
    open_progress: OpenProgress
    say: Callable[[str], None]


def fit_tower(
    config: TrainConfig, model: NextItemModel, run: TowerRun, *, learning_rate: float, patience: int
) -> Arrays:
    """Trains the model in place.

    Returns:
        The curve (`losses`, `ndcg`, `best_epoch`) and the weights of the best epoch, by parameter name.
    """
    if run.warm:
        learning_rate *= config.warm_start_rate
    validation = run.validation
    if validation is not None:
        validation = validation.sample(config.stopping_users, config.seed)
    parts = Sequences.of(run.sequences, model.max_length)
    with run.open_progress(f"{run.name} tower batches", run.epochs * batches_an_epoch(parts, config)) as progress:
        stopping = EarlyStopping(
            model,
            validation,
            confidence_config(config),
            patience,
            lambda line: run.say(f"{run.name} tower, {line}"),
        )
        fit_next_item(
            model,
            parts,
            config,
            learning_rate=learning_rate,
            epochs=run.epochs,
            progress=progress,
            after_epoch=stopping.after_epoch,
        )
    stopping.restore_best()
    curve = {name: np.array(values) for name, values in asdict(stopping.curve).items()}
    return {**curve, **weights(model)}


def load_fitted(model: NextItemModel, fitted: Arrays) -> Curve:
    """Gives the model the weights that `fit_tower` returned, ready for inference, and returns its curve."""
    curve = Curve(fitted["losses"].tolist(), fitted["ndcg"].tolist(), int(fitted["best_epoch"]))
    parameters = {name: torch.from_numpy(array) for name, array in fitted.items() if name not in vars(curve)}
    model.module.load_state_dict(parameters)
    model.module.eval().requires_grad_(requires_grad=False)
    return curve


def weights(model: NextItemModel) -> Arrays:
    """Every parameter of the model by its name."""
    return {name: tensor.detach().numpy() for name, tensor in model.module.state_dict().items()}
