"""A bundle for a shop that nothing can be learned from yet: it ranks by text, and by the few purchases that there are.

The text block is the one that training would start from, set by hand: an item's vector is that of its text, and a
user's is the mean of the texts in the history, newer ones weighing more, or of the profile.
"""

from dataclasses import replace

import numpy as np
import torch

from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import ItemRepeats
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig, TransformerLayer
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.fitting.assembly import FittedBlocks, assemble, with_fusion
from training.fitting.fusion import COLD, Tuned
from training.fitting.popularity import decayed_popularity, recent_buyers
from training.fitting.text_features import ShopText
from training.fitting.text_tower import text_config

DECAY = 0.8  # factor by which each newer item lowers the weight of an item of the history
MEAN_WEIGHT = 16.0  # of that mean, where the newest item alone, which a transformer carries through, counts 1
TUNED = Tuned(warm=COLD.scaled(), warm_ndcg=0.0, cold=None, cold_ndcg=None, gains={}, dropped=(), unraised=0.0)


def starter_config(config: TrainConfig) -> TrainConfig:
    """The settings without the blocks that are learned. Every event is used: no part of them is held out."""
    return config.with_values({"sequence_dim": 0, "factors": 0, "neighbours": 0, "refit": "all"})


def starter_bundle(interactions: Interactions, text: ShopText, config: TrainConfig) -> Bundle:
    """An unsaved bundle.

    Args:
        interactions: All events; there may be none.
        text: The items and their texts.
        config: From `starter_config`.
    """
    torch.manual_seed(config.seed)
    tower = text_average_tower(text.item_features.shape[1], text_config(config))
    n = interactions.n_items
    popularity = decayed_popularity(interactions, config.popularity_half_life_days)
    blocks = FittedBlocks(
        text_tower=tower,
        text_items=tower.item_vectors(torch.from_numpy(text.item_features)).numpy(),
        sequence_tower=None,
        sequence_items=np.zeros((n, 0), np.float32),
        factors=np.zeros((n, 0), np.float32),
        regularization=config.regularization,
        repeats=ItemRepeats(np.ones(n, np.float32), np.full(n, config.repeat_window_days, np.float32), popularity),
        repeat_coefficients=(),
    )
    # Of no event at all: otherwise each item without a purchase would get the vectors of the few that have one.
    nothing = interactions.select(np.zeros(len(interactions), np.bool_))
    bundle = with_fusion(assemble(blocks, nothing, text, config), TUNED.weights, TUNED.warm.repeats)
    vectors = bundle.item_vectors.copy()
    vectors[:, bundle.layout.prior] = popularity[:, None]
    return replace(bundle, item_vectors=vectors, buyers=recent_buyers(interactions, config.popularity_days))


@torch.no_grad()
def text_average_tower(features: int, config: TransformerConfig) -> TextTower:
    """A text tower whose user is the average of the items that it reads, the newest first.

    Args:
        features: Width of the text features, of which the first `config.dim` are kept: they hold the most.
        config: Of the transformer.
    """
    tower = TextTower(features, config)
    tower.item_projection.weight.copy_(torch.eye(config.dim, features))
    tower.no_profile_token.zero_()
    first, *others = (layer for layer in tower.transformer.layers if isinstance(layer, TransformerLayer))
    for layer in (first, *others):
        # What a layer adds is zero at first. Its other weights stay random, so that a warm start can train it.
        for linear in (layer.attention.out, layer.mlp[2]):
            for parameter in linear.parameters():
                parameter.zero_()
    # The first layer adds the mean of all positions, weighted by their distance alone: its keys are zero.
    attention, identity = first.attention, torch.eye(config.dim)
    attention.qkv.bias.zero_()
    attention.qkv.weight[config.dim : 2 * config.dim].zero_()
    attention.qkv.weight[2 * config.dim :].copy_(identity)
    attention.out.weight.copy_(MEAN_WEIGHT * identity)
    attention.distance_bias.copy_(torch.arange(config.max_length + 1) * float(np.log(DECAY)))
    return tower.eval().requires_grad_(requires_grad=False)
