"""SASRec trained with cross-entropy over all items, a baseline for `training.benchmark`.

It is the strongest published kind of network that learns from one shop's purchases alone (Kang and McAuley 2018;
Klenitskiy and Vasilev 2023). This is our sequence tower with randomly initialised items.
"""

from dataclasses import replace

import numpy as np
import torch

from recsvc.domain.arrays import Floats
from recsvc.model.towers.confidence import WeightedHistory
from training.data.split import Holdout
from training.evaluation.baselines import Scorer, Task
from training.fitting.early_stopping import EarlyStopping, latest_states
from training.fitting.event_sequences import confidence_config
from training.fitting.next_item import Sequences, batches_an_epoch, fit_next_item
from training.fitting.sequence_tower import SequenceModel, sequence_config
from training.fitting.stages import Stages

DIM = 128
PATIENCE_EPOCHS = 4


def sasrec(task: Task, stages: Stages, epochs: int) -> Scorer:
    """Trains for `epochs`, or until validation has not improved for PATIENCE_EPOCHS."""
    config, confidence = replace(task.config, sequence_dim=DIM), confidence_config(task.config)
    validation = task.validation.sample(config.stopping_users, config.seed)
    torch.manual_seed(config.seed)
    n_items = task.interactions.n_items
    model = SequenceModel(np.zeros((n_items, DIM), np.float32), sequence_config(config))
    with torch.no_grad():
        model.items.normal_(0, 0.02)
    sequences = Sequences.of(
        [WeightedHistory.of(h, confidence).sequence for h in task.interactions.histories()], model.max_length
    )

    def print_line(line: str) -> None:
        stages.console.print(f"  SASRec-CE, {line}", highlight=False)

    stopping = EarlyStopping(model, validation, confidence, PATIENCE_EPOCHS, print_line)
    with stages.progress("SASRec-CE batches", epochs * batches_an_epoch(sequences, config)) as progress:
        fit_next_item(
            model,
            sequences,
            config,
            learning_rate=config.sequence_learning_rate,
            epochs=epochs,
            progress=progress,
            after_epoch=stopping.after_epoch,
        )
    stopping.restore_best()
    with torch.inference_mode():
        items = model.item_vectors(None)

    @torch.inference_mode()
    def scores(users: Holdout) -> Floats:
        recent = [WeightedHistory.of(h, confidence).sequence[-model.max_length :] for h in users.histories]
        return np.asarray((latest_states(model, items, users.users, recent) @ items.T).numpy(), np.float32)

    return scores
