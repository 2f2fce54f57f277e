"""The recipe without its frame: a shop read and split, and a bundle fitted on any part of it."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.errors import SettingsError
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.lexical import LexicalEncoder
from recsvc.model.text_encoder import TextEncoder, item_text
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.user import ProfileText
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import Shop, read_shop
from training.data.split import Split, leave_one_out, time_split
from training.fitting.block_trainer import BlockTrainer, ShopText, with_fusion, without_blocks
from training.fitting.early_stopping import Curve
from training.fitting.fusion import TRIES, Tuned, tune
from training.fitting.stages import Arrays, Stages
from training.fitting.text_features import embed, fit_features, items_of, profile_texts
from training.fitting.warm_start import WarmStart

EMBEDDINGS = "embeddings.sqlite"  # in the folder of the stages: what texts were embedded before

# Of each block that training may drop, the setting that is 0 where it is not there.
WIDTHS = {"sequence": "sequence_dim", "lexical": "lexical_dim", "collaborative": "factors"}


@dataclass(frozen=True)
class Prepared:
    """A shop ready to be learned from. `inputs` names it, and what it starts from, in the stages."""

    shop: Shop
    interactions: Interactions
    split: Split
    text: ShopText
    inputs: Any
    warm: WarmStart | None = None

    def resplit(self, interactions: Interactions, config: TrainConfig, name: str) -> "Prepared":
        """The same shop with its events in another order, under another name."""
        split = make_split(interactions, config)
        return replace(self, interactions=interactions, split=split, inputs=[self.inputs, name])


@dataclass(frozen=True)
class Fitted:
    """A bundle fitted on the train part with the blocks and weights that validation chose.

    config: the one it was fitted with, less the blocks that validation found to add nothing.
    """

    bundle: Bundle
    config: TrainConfig
    tuned: Tuned
    curves: dict[str, Curve]
    validation_users: int


def prepare(data: Path, config: TrainConfig, stages: Stages, earlier: Path | None = None) -> Prepared:
    """Reads and splits a shop and embeds its texts. earlier: the bundle that the towers start from, if not nothing.

    Raises DataError for tables that break the input contract, TextEncoderError, and SettingsError or BundleError for a
    configuration or an earlier bundle that does not fit.
    """
    started = time.perf_counter()
    shop = read_shop(data)
    interactions = Interactions.of(shop)
    size = f"{len(shop.events):,} events, {len(shop.items):,} items, {len(shop.users):,} profiles"
    stages.report("data", time.perf_counter() - started, size)
    for note in shop.notes:
        stages.console.print(f"  {note}", highlight=False)
    split = make_split(interactions, config)
    encoder = TextEncoder.load(config.text_encoder)
    warm = WarmStart.of(earlier, config, encoder) if earlier is not None else None
    text = _read_text(shop, encoder, config, stages, warm)
    inputs = [shop.fingerprint, config.protocol, config.test_days, text.encoder.fingerprint]
    inputs.append(warm.bundle.bundle_id if warm is not None else None)
    return Prepared(shop, interactions, split, text, inputs, warm)


def make_split(interactions: Interactions, config: TrainConfig) -> Split:
    """The split that the configuration names. Raises SettingsError where the data does not allow it."""
    try:
        if config.protocol == "leave-one-out":
            return leave_one_out(interactions, config.history_length)
        return time_split(interactions, config.test_days, config.history_length)
    except ValueError as error:
        days = f", test_days={config.test_days}" if config.protocol == "time-split" else ""
        raise SettingsError(f"protocol {config.protocol}{days}: {error}") from error


def fit(prepared: Prepared, config: TrainConfig, stages: Stages) -> Fitted:
    """Fits every block on the train part; epochs, weights and blocks are chosen on validation."""
    validation = prepared.split.validation.sample(config.tuning_users, config.seed)
    trainer = BlockTrainer(prepared.split.train, prepared.text, config, stages, prepared.inputs, "train", prepared.warm)
    draft, curves = trainer.fit(prepared.split.validation)
    profiles = prepared.text.of_users(prepared.interactions.user_ids[validation.users])
    started = time.perf_counter()
    with stages.progress("fusion weights tried", TRIES) as progress:
        tuned = tune(draft, validation, profiles.texts, progress, config.drop_blocks)
    said = ", ".join(f"{name} {value:.3g}" for name, value in asdict(tuned.warm.blocks).items())
    dropped = f"; dropped {', '.join(tuned.dropped)}" if tuned.dropped else ""
    stages.report("fusion", time.perf_counter() - started, f"{said}; validation NDCG@10 {tuned.warm_ndcg:.4f}{dropped}")
    if tuned.dropped:
        config = replace(config, **{WIDTHS[name]: 0 for name in tuned.dropped})
        draft = without_blocks(draft, tuned.dropped)
    bundle = with_fusion(draft, tuned.weights, tuned.warm.repeats)
    return Fitted(bundle, config, tuned, curves, len(validation))


def refit(prepared: Prepared, fitted: Fitted, interactions: Interactions, stages: Stages, label: str) -> Bundle:
    """The same blocks, epochs and weights, fitted on more events."""
    trainer = BlockTrainer(interactions, prepared.text, fitted.config, stages, prepared.inputs, label, prepared.warm)
    bundle, _ = trainer.fit(epochs={name: curve.best_epoch for name, curve in fitted.curves.items()})
    return with_fusion(bundle, fitted.tuned.weights, fitted.tuned.warm.repeats)


def _read_text(
    shop: Shop, encoder: TextEncoder, config: TrainConfig, stages: Stages, warm: WarmStart | None
) -> ShopText:
    catalogue = Catalogue(items_of(shop.items))
    texts = [item_text(item) for item in catalogue.items]
    profiles = profile_texts(shop.users)
    cache = stages.folder / EMBEDDINGS
    started = time.perf_counter()
    with stages.progress("texts embedded", len(texts) + len(profiles)) as progress:
        item_embeddings = embed(encoder, texts, cache, progress)
        profile_embeddings = embed(encoder, list(profiles.values()), cache, progress)
    stages.report("text embedding", time.perf_counter() - started, f"{len(texts):,} items, {len(profiles):,} profiles")

    known = {
        user_id: ProfileText(words, embedding)
        for (user_id, words), embedding in zip(profiles.items(), profile_embeddings, strict=True)
    }
    if warm is not None:
        features = warm.bundle.features
    else:
        features = _text_features(item_embeddings, texts, [shop.fingerprint, encoder.fingerprint], config, stages)
    return ShopText(catalogue, features, features.transform(item_embeddings, texts), encoder, known)


def _text_features(
    embeddings: NDArray[np.float32], texts: list[str], inputs: Any, config: TrainConfig, stages: Stages
) -> TextFeatures:
    def compute() -> Arrays:
        features = fit_features(embeddings, texts, config)
        terms = json.dumps(features.lexical.vocabulary).encode()
        return {
            "idf": features.lexical.idf,
            "components": features.lexical.components,
            "singular": features.lexical.singular,
            "mean": features.mean,
            "projection": features.projection,
            "vocabulary": np.frombuffer(terms, np.uint8),
        }

    dials = [config.features_lexical_dim, config.features, config.whitening_exponent, config.seed]
    arrays = stages.run("text features", [*inputs, dials], compute)
    lexical = LexicalEncoder(
        json.loads(arrays["vocabulary"].tobytes()), arrays["idf"], arrays["components"], arrays["singular"]
    )
    return TextFeatures(lexical, arrays["mean"], arrays["projection"])
