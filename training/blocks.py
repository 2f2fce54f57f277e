"""Fits the blocks on one set of interactions, and puts them together as a bundle."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.bundle import Bundle, ModelConfig
from recsvc.catalogue import Catalogue
from recsvc.repeats import RepeatConfig
from recsvc.text import TextEncoder
from recsvc.towers.confidence import liked_sequence
from recsvc.towers.features import TextFeatures
from recsvc.towers.text import TextTower, TextTowerConfig
from recsvc.towers.user import FusionWeights, ProfileText
from training.collaborative import confidence_config, fit_als, mean_norm
from training.config import TrainConfig
from training.evaluate import TEXT_ALONE, Profiles, recommend_offline
from training.interactions import Interactions
from training.metrics import per_user
from training.popularity import decayed_popularity, recent_buyers, repeat_rates
from training.split import Holdout
from training.stages import Arrays, Stages
from training.text_tower import Sequences, batches_an_epoch, fit_text_tower, item_block

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


@dataclass(frozen=True)
class TextCurve:
    """How the text block came along: mean loss and validation NDCG@10 after each epoch, and the epoch kept, from 1."""

    losses: list[float]
    ndcg: list[float]
    best_epoch: int


def fit_bundle(
    interactions: Interactions,
    text: ShopText,
    config: TrainConfig,
    stages: Stages,
    inputs: Any,
    label: str,
    validation: Holdout | None = None,
    epochs: int | None = None,
) -> tuple[Bundle, TextCurve]:
    """An unsaved bundle with every block fitted on `interactions` and neutral fusion weights.

    With a validation holdout the text tower stops early and keeps its best epoch, else it runs for `epochs`.
    `inputs` names what the stages depend on beside the configuration.
    """

    def als() -> Arrays:
        with stages.progress("ALS iterations", config.als_iterations) as progress:
            factors = fit_als(interactions, config, progress)
        norm = mean_norm(factors)
        return {"factors": factors / norm, "regularization": np.array(config.regularization / norm**2)}

    als_dials = {n: getattr(config, n) for n in (*_CONFIDENCE, "factors", "regularization", "als_iterations", "seed")}
    collaborative = stages.run(f"als-{label}", [inputs, als_dials], als)
    factors, regularization = collaborative["factors"], float(collaborative["regularization"])

    def with_tower(tower: TextTower) -> Bundle:
        return _assemble(interactions, text, config, tower, factors, regularization)

    def text_tower() -> Arrays:
        return _fit_text(interactions, text, config, stages, with_tower, validation, epochs)

    text_dials = {n: v for n, v in vars(config).items() if n.startswith(("text_", "profile_")) or n in _TEXT}
    fitted = stages.run(f"text-{label}", [inputs, text_dials, epochs], text_tower)
    curve = TextCurve(fitted.pop("losses").tolist(), fitted.pop("ndcg").tolist(), int(fitted.pop("best_epoch")))
    tower = TextTower(TextTowerConfig(text.item_features.shape[1], config.text_dim))
    tower.load_state_dict({name: torch.from_numpy(array) for name, array in fitted.items()})
    return with_tower(tower.eval()), curve


_CONFIDENCE = ("alpha", "half_life_days", "event_weights")
_TEXT = (
    *_CONFIDENCE, "seed", "lexical_dim", "features", "whitening_exponent", "temperature", "history_length",
    "epoch_events", "batch_events", "full_softmax_items", "sampled_items",
)  # fmt: skip


def _fit_text(
    interactions: Interactions,
    text: ShopText,
    config: TrainConfig,
    stages: Stages,
    with_tower: Callable[[TextTower], Bundle],
    validation: Holdout | None,
    epochs: int | None,
) -> Arrays:
    confidence = confidence_config(config)
    max_length = TextTowerConfig(1).max_length
    sequences = Sequences.of([liked_sequence(h, confidence) for h in interactions.histories()], max_length)
    profiles = text.of_users(interactions.user_ids).texts
    has_profile = np.array([profile is not None for profile in profiles])
    profile_features = np.zeros((len(profiles), text.item_features.shape[1]), np.float32)
    if has_profile.any():
        known = [profile for profile in profiles if profile is not None]
        profile_features[has_profile] = text.features(
            np.stack([profile.embedding for profile in known]), [profile.text for profile in known]
        )
    losses: list[float] = []
    ndcg: list[float] = []
    best: Arrays = {}

    def after_epoch(tower: TextTower, epoch: int, loss: float) -> bool:
        losses.append(loss)
        if validation is not None:
            started = time.perf_counter()
            ndcg.append(_text_quality(with_tower(tower), validation, text, interactions))
            seconds = time.perf_counter() - started
            stages.console.print(
                f"  epoch {epoch}: loss {loss:.4f}, text alone has validation NDCG@10 {ndcg[-1]:.4f} ({seconds:.1f} s)",
                highlight=False,
            )
            if ndcg[-1] < max(ndcg):
                return epoch - 1 - int(np.argmax(ndcg)) < config.text_patience
        best.clear()
        best.update({name: tensor.clone().numpy() for name, tensor in tower.state_dict().items()})
        return True

    epochs = epochs or config.text_epochs
    with stages.progress("text tower batches", epochs * batches_an_epoch(sequences, config)) as progress:
        fit_text_tower(
            text.item_features, sequences, profile_features, has_profile, config, epochs, progress, after_epoch
        )
    best_epoch = int(np.argmax(ndcg)) + 1 if ndcg else len(losses)
    return {**best, "losses": np.array(losses), "ndcg": np.array(ndcg), "best_epoch": np.array(best_epoch)}


def _text_quality(bundle: Bundle, validation: Holdout, text: ShopText, interactions: Interactions) -> float:
    profiles = text.of_users(interactions.user_ids[validation.users])
    ranked = recommend_offline(bundle, bundle.user_tower(TEXT_ALONE), RepeatConfig(), validation, profiles, 10)
    return float(per_user(ranked, validation.targets)["ndcg@10"].mean())


def _assemble(
    interactions: Interactions,
    text: ShopText,
    config: TrainConfig,
    tower: TextTower,
    factors: NDArray[np.float32],
    regularization: float,
) -> Bundle:
    block = item_block(tower, text.item_features)
    prior = decayed_popularity(interactions, config.popularity_half_life_days)
    return Bundle(
        catalogue=text.catalogue,
        item_vectors=np.concatenate((block, factors, prior[:, None]), axis=1).astype(np.float32),
        buyers=recent_buyers(interactions, config.popularity_days),
        purchases=interactions.purchase_counts(),
        repeat_rates=repeat_rates(interactions, text.catalogue.categories[0]),
        features=text.features,
        text_tower=tower,
        model=ModelConfig(
            text_tower=tower.config,
            fusion=FusionWeights(),
            confidence=confidence_config(config),
            repeats=RepeatConfig(),
            collaborative_dim=factors.shape[1],
            regularization=regularization,
            history_length=config.history_length,
            similar_from=_similar_from(block, config),
            popularity_days=config.popularity_days,
            text_encoder=config.text_encoder,
            text_encoder_fingerprint=text.encoder.fingerprint,
        ),
    )


def _similar_from(block: NDArray[np.float32], config: TrainConfig) -> float:
    rng = np.random.default_rng(config.seed)
    left, right = rng.integers(0, len(block), (2, LIKENESS_PAIRS))
    likeness = np.einsum("nd,nd->n", block[left[left != right]], block[right[left != right]])
    return float(np.percentile(likeness, config.similar_percentile)) if len(likeness) else 1.0


def with_fusion(bundle: Bundle, weights: FusionWeights, repeats: RepeatConfig) -> Bundle:
    """The bundle with tuned fusion weights."""
    return replace(bundle, model=replace(bundle.model, fusion=weights, repeats=repeats))
