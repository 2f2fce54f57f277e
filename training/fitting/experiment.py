"""The steps of a training run: a shop read and split, its blocks fitted on the train part, and fitted again on more."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.errors import SettingsError
from recsvc.model import bundle_files, text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import TextEncoder, category_text, item_text
from recsvc.model.towers.user import ProfileText
from recsvc.model.vectors import encode_8_bits, projected
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import Shop, read_shop
from training.data.split import Holdout, Split, nothing_to_learn
from training.data.stray_dates import without_late_dates
from training.fitting.assembly import columns_of, with_fusion, with_neighbours, without_blocks
from training.fitting.block_scores import vectors_at_one
from training.fitting.block_trainer import BlockTrainer
from training.fitting.early_stopping import Curve
from training.fitting.encoder_choice import EncoderChoice, choose_encoder
from training.fitting.fusion import DROP_BELOW_SE, TRIES, Tuned, tune
from training.fitting.neighbour_weights import TunedNeighbours, tune_neighbours
from training.fitting.neighbours import mix
from training.fitting.split_choice import make_split
from training.fitting.stage import Arrays
from training.fitting.stages import Stages
from training.fitting.starter import TUNED, starter_bundle, starter_config
from training.fitting.text_features import TEXT_FEATURES, ShopText, embed, features_from, items_of, profile_texts
from training.fitting.text_projection import fit_projection
from training.fitting.warm_start import WarmStart

EMBEDDINGS = "embeddings.sqlite"  # in the folder of the stages: texts embedded by earlier runs

# For each block that training may drop, the setting that is 0 in a bundle without it.
WIDTHS = {"sequence": "sequence_dim", "lexical": "lexical_dim", "collaborative": "factors"}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A shop ready to be learned from.

    Attributes:
        shop: The checked tables.
        interactions: All events.
        split: Their train, validation and test parts.
        text: The texts and their features.
        inputs: Names the shop, its split and the earlier bundle in the cache keys of stages, as JSON values.
        warm: The bundle that the towers start from, if any.
    """

    shop: Shop
    interactions: Interactions
    split: Split
    text: ShopText
    inputs: object
    warm: WarmStart | None = None

    @property
    def nothing_to_learn(self) -> str | None:
        """Why nothing can be learned and measured; None if the events have a train, a validation and a test part."""
        if self.split.protocol != "none":
            return None
        return nothing_to_learn(self.interactions) or "no split leaves purchases to learn from and purchases to test"

    def check_learnable(self) -> None:
        """Raises SettingsError if nothing can be learned and measured."""
        if (reason := self.nothing_to_learn) is not None:
            raise SettingsError(f"{reason}, so there is nothing to compare; training.train makes a bundle all the same")

    def resplit(self, interactions: Interactions, config: TrainConfig, name: str) -> "Prepared":
        """The same shop with its events in another order. name: of this order, in the cache keys."""
        split = make_split(interactions, config)
        return replace(self, interactions=interactions, split=split, inputs=[self.inputs, name])


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A bundle fitted on the train part, with the blocks and weights that validation chose.

    Attributes:
        bundle: The unsaved bundle.
        config: The settings that it was fitted with, with a width of 0 for each dropped block.
        tuned: The fusion weights.
        neighbours: The way of counting neighbours; None if the settings leave them out.
        curves: How the training of each tower went, by its name.
        validation_users: How many users the weights were tuned on.
    """

    bundle: Bundle
    config: TrainConfig
    tuned: Tuned
    neighbours: TunedNeighbours | None
    curves: dict[str, Curve]
    validation_users: int

    @property
    def validation_ndcg(self) -> float:
        """The mean NDCG@10 on validation, of everything together."""
        return self.tuned.warm_ndcg if self.neighbours is None else self.neighbours.ndcg


def prepare(data: Path, config: TrainConfig, stages: Stages, earlier: Path | None = None) -> Prepared:
    """Reads and splits a shop and embeds its texts.

    Args:
        data: The folder of the shop's tables.
        config: The settings.
        stages: Runs and prints the stages.
        earlier: The bundle that the towers start from, if any.

    Raises:
        DataError: The tables break the input contract.
        TextEncoderError: The language model cannot be loaded.
        SettingsError: The settings do not fit the data or the earlier bundle.
        BundleError: The earlier bundle cannot be read.
    """
    started = time.perf_counter()
    shop = read_shop(data)
    shop = replace(shop, events=without_late_dates(shop.events))
    interactions = Interactions.of(shop)
    size = f"{len(shop.events):,} events, {len(shop.items):,} items, {len(shop.users):,} profiles"
    stages.report("data", time.perf_counter() - started, size)
    for note in shop.notes:
        stages.console.print(f"  {note}", highlight=False)
    split = make_split(interactions, config)
    catalogue = Catalogue(items_of(shop.items))
    name = _encoder_name(config, catalogue, earlier, stages)
    encoder = text_encoders.load(name)
    warm = WarmStart.of(earlier, config, encoder) if earlier is not None else None
    text = _read_text(shop, catalogue, encoder, config, stages, name=name, warm=warm)
    inputs = [shop.fingerprint, config.protocol, config.test_days, text.encoder.fingerprint]
    inputs.append(warm.bundle.bundle_id if warm is not None else None)
    return Prepared(shop=shop, interactions=interactions, split=split, text=text, inputs=inputs, warm=warm)


def fit(prepared: Prepared, config: TrainConfig, stages: Stages) -> Fitted:
    """Fits every block on the train part. Validation chooses the epochs, the weights and the blocks."""
    validation = prepared.split.validation.sample(config.tuning_users, config.seed)
    trainer = _trainer(prepared, prepared.split.train, config, stages, "train")
    draft, curves = trainer.fit(prepared.split.validation)
    profiles = prepared.text.of_users(prepared.interactions.user_ids[validation.users])
    started = time.perf_counter()
    vectors = vectors_at_one(draft, validation, profiles.texts)
    with stages.progress("fusion weights tried", TRIES) as progress:
        tuned = tune(draft, validation, profiles.texts, vectors, progress, drop_blocks=config.drop_blocks)
    weights = ", ".join(f"{name} {value:.3g}" for name, value in asdict(tuned.warm.blocks).items())
    dropped = f"; dropped {', '.join(tuned.dropped)}" if tuned.dropped else ""
    summary = f"{weights}; validation NDCG@10 {tuned.warm_ndcg:.4f}{dropped}"
    stages.report("fusion", time.perf_counter() - started, summary)
    if tuned.dropped:
        config = config.with_values({WIDTHS[name]: 0 for name in tuned.dropped})
        vectors = np.delete(vectors, columns_of(draft, tuned.dropped), axis=1)
        draft = without_blocks(draft, tuned.dropped)
    bundle = with_fusion(draft, tuned.weights, tuned.warm.repeats)
    neighbours = None
    if config.neighbours:
        parts = trainer.neighbours()
        neighbours = _choose_neighbours(bundle, parts, validation, vectors, config, stages, unraised=tuned.unraised)
        if neighbours.config.weight:
            tuned = replace(tuned, warm=tuned.warm.at("unseen", neighbours.unseen))
            bundle = with_fusion(bundle, tuned.weights, tuned.warm.repeats)
            bundle = with_neighbours(bundle, mix(parts, neighbours.words_weight), neighbours.config)
        else:
            config = config.with_values({"neighbours": 0})
    return Fitted(
        bundle=bundle,
        config=config,
        tuned=tuned,
        neighbours=neighbours,
        curves=curves,
        validation_users=len(validation),
    )


def fit_starter(prepared: Prepared, config: TrainConfig) -> Fitted:
    """A bundle of a shop that nothing can be learned from, see `training.fitting.starter`."""
    config = starter_config(config)
    bundle = starter_bundle(prepared.interactions, prepared.text, config)
    return Fitted(bundle=bundle, config=config, tuned=TUNED, neighbours=None, curves={}, validation_users=0)


def _choose_neighbours(
    bundle: Bundle,
    parts: Arrays,
    validation: Holdout,
    vectors: Floats,
    config: TrainConfig,
    stages: Stages,
    *,
    unraised: float,
) -> TunedNeighbours:
    started = time.perf_counter()
    with stages.progress("users scored with neighbours", len(validation)) as progress:
        chosen = tune_neighbours(
            bundle,
            parts,
            validation,
            vectors,
            progress,
            unraised=unraised,
            drop_below_se=DROP_BELOW_SE if config.drop_blocks else None,
        )
    way = f"weight {chosen.config.weight:.3g}, decay {chosen.config.decay:.3g}, words {chosen.words_weight:.3g}"
    way = f"{way}, unseen {chosen.unseen:.3g}"
    if not chosen.config.weight:
        way = "dropped, no clear gain"
    summary = f"{way}; validation NDCG@10 {chosen.ndcg:.4f}"
    stages.report("neighbours tuned", time.perf_counter() - started, summary)
    return chosen


def refit(prepared: Prepared, fitted: Fitted, interactions: Interactions, stages: Stages, label: str) -> Bundle:
    """The same blocks, epochs and weights, fitted on more events. label: tells the fits of one training apart."""
    trainer = _trainer(prepared, interactions, fitted.config, stages, label)
    bundle, _ = trainer.fit(epochs={name: curve.best_epoch for name, curve in fitted.curves.items()})
    bundle = with_fusion(bundle, fitted.tuned.weights, fitted.tuned.warm.repeats)
    chosen = fitted.neighbours
    if chosen is None or not chosen.config.weight:
        return bundle
    return with_neighbours(bundle, mix(trainer.neighbours(), chosen.words_weight), chosen.config)


def _trainer(
    prepared: Prepared, interactions: Interactions, config: TrainConfig, stages: Stages, label: str
) -> BlockTrainer:
    return BlockTrainer(
        interactions,
        prepared.text,
        config,
        stages=stages,
        inputs=prepared.inputs,
        label=label,
        warm=prepared.warm,
    )


def _encoder_name(config: TrainConfig, catalogue: Catalogue, earlier: Path | None, stages: Stages) -> str:
    """The text encoder of the settings. Where they leave it to training, prints which one it takes and why."""
    if config.text_encoder != text_encoders.AUTO:
        return config.text_encoder
    if earlier is not None:
        name = str(bundle_files.read_manifest(earlier)["model"]["text_encoder"])
        choice = EncoderChoice(name, "the towers start from a bundle that was trained with it")
    else:
        choice = choose_encoder([item_text(item) for item in catalogue.items])
    stages.console.print(f"  text encoder {choice.name}: {choice.reason}", highlight=False, soft_wrap=True)
    return choice.name


def _read_text(
    shop: Shop,
    catalogue: Catalogue,
    encoder: TextEncoder,
    config: TrainConfig,
    stages: Stages,
    *,
    name: str,
    warm: WarmStart | None,
) -> ShopText:
    item_texts = [item_text(item) for item in catalogue.items]
    user_texts = profile_texts(shop.users)
    cache = stages.folder / EMBEDDINGS
    started = time.perf_counter()
    path_texts = list(map(category_text, catalogue.paths.names))
    with stages.progress("texts embedded", len(item_texts) + len(path_texts) + len(user_texts)) as progress:
        item_embeddings = embed(encoder, item_texts, cache, progress)
        path_embeddings = embed(encoder, path_texts, cache, progress)
        user_embeddings = embed(encoder, list(user_texts.values()), cache, progress)
    size = f"{len(item_texts):,} items, {len(user_texts):,} profiles"
    stages.report("text embedding", time.perf_counter() - started, size)
    profiles = {
        user_id: ProfileText(text, embedding)
        for (user_id, text), embedding in zip(user_texts.items(), user_embeddings, strict=True)
    }
    if warm is not None:
        features = warm.bundle.features
    else:
        inputs = [shop.fingerprint, encoder.fingerprint]
        features = features_from(stages.run(TEXT_FEATURES, "", inputs, config, item_embeddings, item_texts))
    projection = fit_projection(item_embeddings, config.text_code_dim)
    return ShopText(
        catalogue=catalogue,
        features=features,
        item_features=features.transform(item_embeddings, item_texts),
        item_codes=encode_8_bits(projected(item_embeddings, projection)),
        category_codes=encode_8_bits(projected(path_embeddings, projection)),
        projection=projection,
        encoder=encoder,
        encoder_name=name,
        profiles=profiles,
    )
