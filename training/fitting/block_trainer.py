"""Fits every block on one set of interactions: runs the stages in order and hands their arrays on."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import ItemRepeats
from recsvc.model.text_encoder import item_text
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.split import Holdout
from training.fitting.assembly import FittedBlocks, assemble
from training.fitting.collaborative import ALS
from training.fitting.covisitation import COVISITATION
from training.fitting.early_stopping import Curve
from training.fitting.event_sequences import event_sequences
from training.fitting.neighbours import NEIGHBOURS
from training.fitting.next_item import NextItemModel
from training.fitting.repeat_purchase import REPEATS
from training.fitting.sequence_tower import SEQUENCE_TOWER, SequenceModel, sequence_config
from training.fitting.stage import Arrays, Stage
from training.fitting.stages import Stages, content_hash
from training.fitting.text_features import ShopText
from training.fitting.text_tower import TEXT_TOWER, TextModel
from training.fitting.tower_fit import TowerRun, load_fitted, weights
from training.fitting.warm_start import WarmStart

Model = TypeVar("Model", bound=NextItemModel)


class BlockTrainer:
    """Fits every block on `interactions`. Each is a stage, so no block is fitted twice from the same inputs.

    Args:
        interactions: The events to learn from.
        text: The texts of the shop and their features.
        config: The settings.
        stages: Runs the stages.
        inputs: Names the shop and its texts in the cache keys of the stages, as JSON values.
        label: Tells the fits of one training apart.
        warm: The bundle that the towers start from, if any.
    """

    def __init__(
        self,
        interactions: Interactions,
        text: ShopText,
        config: TrainConfig,
        *,
        stages: Stages,
        inputs: object,
        label: str,
        warm: WarmStart | None = None,
    ) -> None:
        self._interactions = interactions
        self._text = text
        self._config = config
        self._stages = stages
        self._inputs = [inputs, content_hash(interactions.arrays)]
        self._label = label
        self._warm = warm
        self._sequences = event_sequences(interactions, config)

    def fit(
        self, validation: Holdout | None = None, epochs: Mapping[str, int] | None = None
    ) -> tuple[Bundle, dict[str, Curve]]:
        """Fits all blocks.

        Args:
            validation: Users whose next purchases stop the training of the towers, which keep their best epoch.
            epochs: How many epochs each tower trains for, by name. Those of the configuration by default.

        Returns:
            An unsaved bundle with neutral fusion weights, and the curve of each tower by name.
        """
        curves: dict[str, Curve] = {}
        torch.manual_seed(self._config.seed)
        text_model = self._text_model()
        curves["text"] = self._fit_tower(TEXT_TOWER, text_model, self._tower_run("text", validation, epochs))
        sequence_tower, sequence_items = None, np.zeros((self._interactions.n_items, 0), np.float32)
        if self._config.sequence_dim:
            torch.manual_seed(self._config.seed)
            sequence_model = self._sequence_model()
            run = self._tower_run("sequence", validation, epochs)
            curves["sequence"] = self._fit_tower(SEQUENCE_TOWER, sequence_model, run)
            sequence_tower, sequence_items = sequence_model.tower, sequence_model.block(self._sequences)
        factors, regularization = self._fit_als()
        repeats, repeat_coefficients = self._fit_repeats()
        blocks = FittedBlocks(
            text_tower=text_model.tower,
            text_items=text_model.block(self._text.item_features),
            sequence_tower=sequence_tower,
            sequence_items=sequence_items,
            factors=factors,
            regularization=regularization,
            repeats=repeats,
            repeat_coefficients=repeat_coefficients,
        )
        return assemble(blocks, self._interactions, self._text, self._config), curves

    def neighbours(self) -> Arrays:
        """Finds both kinds of neighbours of each item, see `compute_neighbours`. Needs no fitted block."""
        texts = list(map(item_text, self._text.catalogue.items))
        return self._stages.run(NEIGHBOURS, self._label, self._inputs, self._config, self._sequences, texts)

    def _text_model(self) -> TextModel:
        model = TextModel.of(self._text, self._interactions, self._config)
        if self._warm is not None:
            self._warm.start_text(model, self._text.catalogue, self._text.item_features)
        return model

    def _sequence_model(self) -> SequenceModel:
        tower_config, n_items = sequence_config(self._config), self._interactions.n_items
        if self._warm is not None:
            warm_model = self._warm.sequence_model(self._text.catalogue, self._sequences, tower_config)
            if warm_model is not None:
                return warm_model
        arrays = self._stages.run(COVISITATION, self._label, self._inputs, self._config, self._sequences, n_items)
        return SequenceModel(arrays["start"], tower_config)

    def _tower_run(self, name: str, validation: Holdout | None, epochs: Mapping[str, int] | None) -> TowerRun:
        return TowerRun(
            name=name,
            sequences=self._sequences,
            validation=validation,
            epochs=epochs[name] if epochs else getattr(self._config, f"{name}_epochs"),
            warm=self._warm is not None,
            open_progress=self._stages.progress,
            say=lambda line: self._stages.console.print(f"  {line}", highlight=False),
        )

    def _fit_tower(self, stage: Stage[[Model, TowerRun]], model: Model, run: TowerRun) -> Curve:
        # A tower also depends on the weights that it starts from, and a warm start is no part of its own code.
        inputs = [
            self._inputs,
            run.epochs,
            run.warm,
            run.validation is not None,
            content_hash(weights(model).values()),
        ]
        return load_fitted(model, self._stages.run(stage, self._label, inputs, self._config, model, run))

    def _fit_als(self) -> tuple[Floats, float]:
        config = self._config
        if not config.factors:
            return np.zeros((self._interactions.n_items, 0), np.float32), config.regularization
        fitted = self._stages.run(ALS, self._label, self._inputs, config, self._interactions, self._stages.progress)
        return fitted["factors"], float(fitted["regularization"])

    def _fit_repeats(self) -> tuple[ItemRepeats, tuple[float, ...]]:
        catalogue = self._text.catalogue
        inputs = [self._inputs, content_hash([catalogue.categories[0]])]
        fitted = self._stages.run(REPEATS, self._label, inputs, self._config, self._interactions, catalogue)
        coefficients = tuple(fitted.pop("coefficients").tolist())
        return ItemRepeats(**fitted), coefficients
