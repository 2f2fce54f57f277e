"""Fits the blocks on one set of interactions, and puts them together as a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from recsvc.model.bundle import Bundle, ModelConfig
from recsvc.model.catalogue import Catalogue
from recsvc.model.repeat_purchase import ItemRepeats, RepeatConfig
from recsvc.model.text_encoder import TextEncoder, item_text
from recsvc.model.towers.confidence import WeightedHistory
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.user import BlockWeights, FusionWeights, ProfileText
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.split import Holdout, Profiles
from training.fitting.collaborative import confidence_config, fit_als, mean_norm
from training.fitting.copurchases import copurchases
from training.fitting.early_stopping import Curve, EarlyStopping
from training.fitting.next_item import NextItemModel, Rows, Sequences, batches_an_epoch, fit_next_item
from training.fitting.popularity import newness, recent_buyers
from training.fitting.repeat_purchase import fit_repeats, item_repeats
from training.fitting.sequence_tower import SequenceModel, sequence_config, start_vectors
from training.fitting.stages import Arrays, Stages
from training.fitting.text_tower import TextModel, text_config
from training.fitting.warm_start import WarmStart

LIKENESS_PAIRS = 200_000


@dataclass(frozen=True)
class ShopText:
    """The frozen text side of a shop.

    catalogue: its items. features: text to features. item_features: float32 (n, f). encoder: the language model.
    profiles: what is known of a user by user_id.
    """

    catalogue: Catalogue
    features: TextFeatures
    item_features: NDArray[np.float32]
    encoder: TextEncoder
    profiles: dict[str, ProfileText]

    def of_users(self, user_ids: NDArray[np.object_]) -> Profiles:
        return Profiles([self.profiles.get(user_id) for user_id in user_ids])


class BlockTrainer:
    """Fits every block on `interactions`. Each is a stage, so it is not fitted twice.

    inputs: names what the stages depend on beside the configuration; label: tells fits of one run apart. warm: where
    the towers start from, if not from nothing.
    """

    def __init__(
        self,
        interactions: Interactions,
        text: ShopText,
        config: TrainConfig,
        stages: Stages,
        inputs: Any,
        label: str,
        warm: WarmStart | None = None,
    ) -> None:
        self._interactions = interactions
        self._text = text
        self._config = config
        self._stages = stages
        self._inputs = inputs
        self._label = label
        self._warm = warm
        confidence = confidence_config(config)
        self._histories: list[Rows] = [WeightedHistory.of(h, confidence).sequence for h in interactions.histories()]

    def fit(
        self, validation: Holdout | None = None, epochs: Mapping[str, int] | None = None
    ) -> tuple[Bundle, dict[str, Curve]]:
        """An unsaved bundle with neutral fusion weights, and how each tower came along.

        With a validation holdout the towers stop early, by a sample of it, and keep their best epoch, else they run for
        `epochs` by name.
        """
        curves: dict[str, Curve] = {}
        torch.manual_seed(self._config.seed)
        text_model = self._text_model()
        curves["text"] = self._fit_tower("text", text_model, validation, epochs)
        sequence_tower, sequence_items = None, np.zeros((self._interactions.n_items, 0), np.float32)
        if self._config.sequence_dim:
            torch.manual_seed(self._config.seed)
            sequence_model = self._sequence_model()
            curves["sequence"] = self._fit_tower("sequence", sequence_model, validation, epochs)
            sequence_tower, sequence_items = sequence_model.tower, self._bought(sequence_model)
        factors, regularization = self._fit_als()
        return self._assemble(text_model, sequence_tower, sequence_items, factors, regularization), curves

    def _text_model(self) -> TextModel:
        text = self._text
        profiles = text.of_users(self._interactions.user_ids).texts
        has_profile = np.array([profile is not None for profile in profiles])
        features = np.zeros((len(profiles), text.item_features.shape[1]), np.float32)
        if has_profile.any():
            known = [profile for profile in profiles if profile is not None]
            embeddings = np.stack([profile.embedding for profile in known])
            features[has_profile] = text.features.transform(embeddings, [profile.text for profile in known])
        tower = TextTower(text.item_features.shape[1], text_config(self._config))
        model = TextModel(tower, text.item_features, features, has_profile, self._config)
        if self._warm is not None:
            self._warm.text(model, text.catalogue, text.item_features)
        return model

    def _sequence_model(self) -> SequenceModel:
        config, n_items = sequence_config(self._config), self._interactions.n_items
        if self._warm is not None and (model := self._warm.sequence(self._text.catalogue, self._histories, config)):
            return model

        def compute() -> Arrays:
            return {"start": start_vectors(self._histories, n_items, self._config)}

        dials = {name: getattr(self._config, name) for name in ("sequence_dim", *_SEQUENCES, "seed")}
        start = self._stages.run(f"co-visitation-{self._label}", [self._inputs, dials], compute)["start"]
        return SequenceModel(start, config)

    def _fit_tower(
        self, name: str, model: NextItemModel, validation: Holdout | None, epochs: Mapping[str, int] | None
    ) -> Curve:
        config, stages = self._config, self._stages
        most = epochs[name] if epochs else getattr(config, f"{name}_epochs")
        rate, patience = getattr(config, f"{name}_learning_rate"), getattr(config, f"{name}_patience")
        if self._warm is not None:
            rate *= config.warm_start_rate
        if validation is not None:
            validation = validation.sample(config.stopping_users, config.seed)

        def compute() -> Arrays:
            sequences = Sequences.of(self._histories, model.max_length)
            with stages.progress(f"{name} tower batches", most * batches_an_epoch(sequences, config)) as progress:
                stopping = EarlyStopping(
                    model,
                    validation,
                    confidence_config(config),
                    model.max_length,
                    patience,
                    lambda line: stages.console.print(f"  {name} tower, {line}", highlight=False),
                )
                fit_next_item(model, sequences, config, rate, most, progress, stopping)
            stopping.restore()
            curve = {key: np.array(value) for key, value in asdict(stopping.curve).items()}
            return {**curve, **_weights(model.module)}

        fitted = stages.run(f"{name}-{self._label}", [self._inputs, _tower_dials(config, name), most], compute)
        curve = Curve(fitted.pop("losses").tolist(), fitted.pop("ndcg").tolist(), int(fitted.pop("best_epoch")))
        model.module.load_state_dict({key: torch.from_numpy(array) for key, array in fitted.items()})
        model.module.eval().requires_grad_(False)
        return curve

    def _bought(self, model: SequenceModel) -> NDArray[np.float32]:
        """The table's unit vectors, zero for an item that was never bought: training moved it nowhere."""
        with torch.inference_mode():
            vectors = model.item_vectors(None).numpy().copy()
        seen = np.bincount(np.concatenate(self._histories), minlength=len(vectors)) > 0
        vectors[~seen] = 0
        return vectors

    def _fit_als(self) -> tuple[NDArray[np.float32], float]:
        config, stages = self._config, self._stages
        if not config.factors:
            return np.zeros((self._interactions.n_items, 0), np.float32), config.regularization

        def compute() -> Arrays:
            with stages.progress("ALS iterations", config.als_iterations) as progress:
                factors = fit_als(self._interactions, config, progress)
            norm = mean_norm(factors)
            return {"factors": factors / norm, "regularization": np.array(config.regularization / norm**2)}

        dials = {name: getattr(config, name) for name in (*_ALS, *_CONFIDENCE)}
        fitted = stages.run(f"als-{self._label}", [self._inputs, dials], compute)
        return fitted["factors"], float(fitted["regularization"])

    def _fit_repeats(self) -> tuple[ItemRepeats, tuple[float, ...]]:
        def compute() -> Arrays:
            categories = self._text.catalogue.categories[0]
            items = item_repeats(self._interactions, categories, self._config)
            coefficients = fit_repeats(self._interactions, categories, self._config)
            return {**vars(items), "coefficients": np.array(coefficients)}

        dials = {name: getattr(self._config, name) for name in _REPEATS}
        fitted = self._stages.run(f"repeats-{self._label}", [self._inputs, dials], compute)
        coefficients = tuple(fitted.pop("coefficients").tolist())
        return ItemRepeats(**fitted), coefficients

    def _assemble(
        self,
        text_model: TextModel,
        sequence_tower: SequenceTower | None,
        sequence_items: NDArray[np.float32],
        factors: NDArray[np.float32],
        regularization: float,
    ) -> Bundle:
        interactions, text, config = self._interactions, self._text, self._config
        text_tower, text_block = text_model.tower, text_model.block(text.item_features)
        lexical = text.features.lexical.whitened(list(map(item_text, text.catalogue.items)), config.lexical_dim)
        repeats, coefficients = self._fit_repeats()
        purchases = interactions.purchase_counts()
        alone = np.stack(
            (repeats.popularity, newness(interactions, config.newness_half_life_days), purchases == 0), axis=1
        )
        blocks = (sequence_items, text_block, lexical, factors, alone)
        equal = FusionWeights.only(BlockWeights(1.0, 1.0, 1.0, 1.0, 0.1))
        return Bundle(
            catalogue=text.catalogue,
            item_vectors=np.concatenate(blocks, axis=1).astype(np.float32),
            buyers=recent_buyers(interactions, config.popularity_days),
            purchases=purchases,
            **vars(copurchases(interactions, config.cohort_days)),
            repeat_rates=repeats.rates,
            repeat_intervals=repeats.intervals,
            features=text.features,
            text_tower=text_tower,
            sequence_tower=sequence_tower,
            model=ModelConfig(
                text=text_tower.config,
                text_features=text_tower.features,
                sequence=sequence_tower.config if sequence_tower is not None else None,
                fusion=equal,
                confidence=confidence_config(config),
                repeats=RepeatConfig(coefficients=coefficients),
                lexical_dim=lexical.shape[1],
                lexical_decay=config.lexical_decay,
                collaborative_dim=factors.shape[1],
                regularization=regularization,
                history_length=config.history_length,
                similar_from=_similar_from(text_block, config),
                popularity_days=config.popularity_days,
                cohort_days=config.cohort_days,
                text_encoder=config.text_encoder,
                text_encoder_fingerprint=text.encoder.fingerprint,
            ),
        )


_CONFIDENCE = ("alpha", "half_life_days", "event_weights")
_ALS = ("factors", "regularization", "als_iterations", "seed")
_REPEATS = ("repeat_window_days", "popularity_half_life_days", "history_length", "seed")
# Which events a tower reads does not depend on alpha: it weighs all alike.
_SEQUENCES = ("half_life_days", "event_weights")
_TOWERS = (
    *_SEQUENCES, "stopping_users", "warm_start_rate", "seed", "temperature", "epoch_events", "batch_events",
    "full_softmax_items", "sampled_items",
)  # fmt: skip
_TEXT = ("features_lexical_dim", "features", "whitening_exponent", "profile_dropout")


def _tower_dials(config: TrainConfig, name: str) -> dict[str, Any]:
    """The settings that the training of a tower depends on."""
    names = (*_TOWERS, *(_TEXT if name == "text" else ()))
    return {key: value for key, value in vars(config).items() if key in names or key.startswith(f"{name}_")}


def _weights(module: nn.Module) -> Arrays:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def _similar_from(block: NDArray[np.float32], config: TrainConfig) -> float:
    rng = np.random.default_rng(config.seed)
    left, right = rng.integers(0, len(block), (2, LIKENESS_PAIRS))
    likeness = np.einsum("nd,nd->n", block[left[left != right]], block[right[left != right]])
    return float(np.percentile(likeness, config.similar_percentile)) if len(likeness) else 1.0


def without_blocks(bundle: Bundle, names: Sequence[str]) -> Bundle:
    """The bundle less some of the blocks "sequence", "lexical" and "collaborative"."""
    columns = [np.arange(bundle.item_vectors.shape[1])[getattr(bundle.layout, name)] for name in names]
    model = replace(
        bundle.model,
        sequence=None if "sequence" in names else bundle.model.sequence,
        lexical_dim=0 if "lexical" in names else bundle.model.lexical_dim,
        collaborative_dim=0 if "collaborative" in names else bundle.model.collaborative_dim,
    )
    return replace(
        bundle,
        item_vectors=np.delete(bundle.item_vectors, np.concatenate(columns), axis=1),
        sequence_tower=bundle.sequence_tower if model.sequence is not None else None,
        model=model,
    )


def with_fusion(bundle: Bundle, weights: FusionWeights, repeats: RepeatConfig) -> Bundle:
    """The bundle with tuned fusion weights; of `repeats` all but the coefficients, which are its own."""
    repeats = replace(repeats, coefficients=bundle.model.repeats.coefficients)
    return replace(bundle, model=replace(bundle.model, fusion=weights, repeats=repeats))
