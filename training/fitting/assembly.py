"""Puts fitted blocks together as a bundle, and takes blocks and weights of a bundle away or in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.model.model_config import ModelConfig
from recsvc.model.neighbours import NeighbourConfig, Neighbours
from recsvc.model.repeat_purchase import ItemRepeats, RepeatConfig
from recsvc.model.text_encoder import item_text
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.vectors import decode_8_bits
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.fitting.copurchases import copurchases
from training.fitting.event_sequences import confidence_config
from training.fitting.popularity import newness, recent_buyers
from training.fitting.text_features import ShopText

# Random pairs of items whose likeness is computed, in parts that fit into memory.
SIMILARITY_PAIRS, SIMILARITY_PARTS = 200_000, 20
MIN_SIMILAR_FROM = 0.5  # of any catalogue: where all texts are empty, nothing is similar
EQUAL_WEIGHTS = FusionWeights.only(BlockWeights(1.0, 1.0, 1.0, 1.0, 0.1))


@dataclass(frozen=True, kw_only=True)
class FittedBlocks:
    """The blocks that were learned.

    Attributes:
        text_tower: Reads text features.
        text_items: float32 (n, text_dim).
        sequence_tower: None in a bundle without that block.
        sequence_items: float32 (n, sequence_dim), with 0 columns where there is no such block.
        factors: float32 (n, factors), with 0 columns where there is no such block.
        regularization: With which users are folded in among `factors`.
        repeats: How each item is bought again.
        repeat_coefficients: Of the regression for repeats; empty where there was too little to learn from.
    """

    text_tower: TextTower
    text_items: Floats
    sequence_tower: SequenceTower | None
    sequence_items: Floats
    factors: Floats
    regularization: float
    repeats: ItemRepeats
    repeat_coefficients: tuple[float, ...]


def assemble(blocks: FittedBlocks, interactions: Interactions, text: ShopText, config: TrainConfig) -> Bundle:
    """An unsaved bundle with neutral fusion weights. interactions: the events that the blocks were fitted on."""
    purchases = interactions.purchase_counts()
    words = text.features.lexical.encode(list(map(item_text, text.catalogue.items)))
    lexical = text.features.lexical.whitened(words, config.lexical_dim)
    age = newness(interactions, config.newness_half_life_days)
    item_only = np.stack((blocks.repeats.popularity, age, purchases == 0), axis=1)
    parts = (blocks.sequence_items, blocks.text_items, lexical, blocks.factors, item_only)
    bundle = Bundle(
        catalogue=text.catalogue,
        item_vectors=np.concatenate(parts, axis=1).astype(np.float32),
        buyers=recent_buyers(interactions, config.popularity_days),
        purchases=purchases,
        **vars(copurchases(interactions, config.cohort_days)),
        repeat_rates=blocks.repeats.rates,
        repeat_intervals=blocks.repeats.intervals,
        neighbour_rows=np.empty((len(text.catalogue), 0), np.int32),
        neighbour_weights=np.empty((len(text.catalogue), 0), np.float16),
        text_codes=text.item_codes,
        category_codes=text.category_codes,
        text_projection=text.projection,
        features=text.features,
        text_tower=blocks.text_tower,
        sequence_tower=blocks.sequence_tower,
        model=_model_config(blocks, lexical.shape[1], text, config),
    )
    return _with_new_items(bundle)


def _with_new_items(bundle: Bundle) -> Bundle:
    """The bundle whose items that nobody bought have the vectors that the service gives to new items."""
    cold = np.flatnonzero(bundle.purchases == 0).astype(np.int32)
    texts = [item_text(bundle.catalogue.items[row]) for row in cold]
    vectors = bundle.item_vectors.copy()
    vectors[cold] = bundle.new_item_vectors(bundle.restored(cold), texts)
    return replace(bundle, item_vectors=vectors)


def _model_config(blocks: FittedBlocks, lexical_dim: int, text: ShopText, config: TrainConfig) -> ModelConfig:
    return ModelConfig(
        text=blocks.text_tower.config,
        text_features=blocks.text_tower.features,
        sequence=blocks.sequence_tower.config if blocks.sequence_tower is not None else None,
        fusion=EQUAL_WEIGHTS,
        confidence=confidence_config(config),
        repeats=RepeatConfig(coefficients=blocks.repeat_coefficients),
        neighbours=NeighbourConfig(),
        lexical_dim=lexical_dim,
        lexical_decay=config.lexical_decay,
        collaborative_dim=blocks.factors.shape[1],
        regularization=blocks.regularization,
        history_length=config.history_length,
        similar_from=similar_from(text.item_codes, config),
        popularity_days=config.popularity_days,
        cohort_days=config.cohort_days,
        text_encoder=text.encoder_name,
        text_encoder_fingerprint=text.encoder.fingerprint,
    )


def similar_from(codes: NDArray[np.int8], config: TrainConfig) -> float:
    """The cosine of two items' texts from which a shopper would call the items similar, whatever the encoder.

    It is the cosine that `similar_percentile` per cent of random pairs of different items stay below. Among hand-judged
    pairs of four shops and two encoders, this percentile separated similar pairs better than any fixed cosine.

    Args:
        codes: int8 (n, dim), the frozen vectors of the items in 8 bits.
        config: Gives the percentile and the seed.
    """
    rng = np.random.default_rng(config.seed)
    left, right = rng.integers(0, len(codes), (2, SIMILARITY_PAIRS))
    pairs = np.stack((left, right))[:, left != right]
    if not pairs.size:
        return 1.0
    parts = np.array_split(pairs, SIMILARITY_PARTS, axis=1)
    likeness = [(decode_8_bits(codes[one]) * decode_8_bits(codes[other])).sum(axis=1) for one, other in parts]
    percentile = float(np.percentile(np.concatenate(likeness), config.similar_percentile))
    return max(percentile, MIN_SIMILAR_FROM)


def without_blocks(bundle: Bundle, names: Sequence[str]) -> Bundle:
    """The bundle without some of the blocks "sequence", "lexical" and "collaborative"."""
    model = replace(
        bundle.model,
        sequence=None if "sequence" in names else bundle.model.sequence,
        lexical_dim=0 if "lexical" in names else bundle.model.lexical_dim,
        collaborative_dim=0 if "collaborative" in names else bundle.model.collaborative_dim,
    )
    return replace(
        bundle,
        item_vectors=np.delete(bundle.item_vectors, columns_of(bundle, names), axis=1),
        sequence_tower=bundle.sequence_tower if model.sequence is not None else None,
        model=model,
    )


def columns_of(bundle: Bundle, names: Sequence[str]) -> NDArray[np.intp]:
    """The columns of some blocks in a vector."""
    columns = np.arange(bundle.item_vectors.shape[1])
    return np.concatenate([columns[getattr(bundle.layout, name)] for name in names])


def with_fusion(bundle: Bundle, weights: FusionWeights, repeats: RepeatConfig) -> Bundle:
    """The bundle with tuned fusion weights, and with `repeats` except its coefficients: the bundle keeps its own."""
    repeats = replace(repeats, coefficients=bundle.model.repeats.coefficients)
    return replace(bundle, model=replace(bundle.model, fusion=weights, repeats=repeats))


def with_neighbours(bundle: Bundle, neighbours: Neighbours, config: NeighbourConfig) -> Bundle:
    """The bundle with the neighbours of its items, and with the way of counting them."""
    return replace(
        bundle,
        neighbour_rows=neighbours.rows,
        neighbour_weights=neighbours.weights,
        model=replace(bundle.model, neighbours=config),
    )
