"""A bundle of 400 items made without training, so that the tests of the service need the serving install alone.

Everything that training would learn is set by hand or drawn by seed. Shoppers buy within two categories, the
collaborative block is a factor a category, the transformers have random weights. Lists are sensible, and all blocks
have a part in them.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROW, Floats
from recsvc.domain.shop import Item
from recsvc.model import bundle_files, text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.lexical import LexicalEncoder, tokenize
from recsvc.model.model_config import ModelConfig
from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.repeat_purchase import FEATURES, RepeatConfig
from recsvc.model.text_encoder import category_text, item_text
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from recsvc.model.towers.confidence import ConfidenceConfig
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig
from recsvc.model.vectors import encode_8_bits, unit

ITEMS, SHOPPERS = 400, 1_200
UNSOLD = 10  # the last items: nobody has bought them
TYPES = {
    ("Kitchen", "Cookware"): ("Saucepan", "Frying Pan", "Casserole", "Wok", "Stockpot"),
    ("Kitchen", "Baking"): ("Cake Tin", "Mixing Bowl", "Baking Tray", "Rolling Pin", "Whisk"),
    ("Garden", "Growing"): ("Plant Pot", "Seed Tray", "Trellis", "Raised Bed", "Watering Can"),
    ("Garden", "Tools"): ("Spade", "Rake", "Hoe", "Secateurs", "Wheelbarrow"),
    ("Outdoor", "Hiking Boots"): ("Walking Boots", "Trail Shoes", "Gaiters", "Hiking Socks", "Boot Laces"),
    ("Outdoor", "Camping"): ("Tent", "Sleeping Bag", "Camping Stove", "Head Torch", "Dry Bag"),
    ("Books", "Cookery Books"): ("Bread Book", "Soup Book", "Curry Book", "Salad Book", "Pasta Book"),
    ("Toys", "Board Games"): ("Word Game", "Card Game", "Chess Set", "Puzzle", "Dice Game"),
}
BRANDS = (
    *("Alder & Ash", "Brightwater", "Copperline", "Dunmore", "Eskdale", "Fenwick", "Greenlow", "Harrow", "Inglewood"),
    *("Juniper Row", "Kestrel", "Larkfield", "Marlow", "Netherby", "Oakhurst", "Penrose"),
)
FINISHES = ("Red", "Blue", "Green", "Black", "Natural")
SIZES = ("Small", "Medium", "Large")
# Who bought a thing often and lately buys it again.
REPEAT_COEFFICIENTS = dict.fromkeys(FEATURES, 0.0) | {"days": 0.8, "recent": 0.4, "elapsed": -0.3, "rate": 0.5}
DIM = {"sequence": 32, "text": 64, "lexical": 32}


def make_serving_bundle(folder: Path) -> Path:
    """Writes the bundle into a folder named after its id, under `folder`; the same each time."""
    rng = np.random.default_rng(5)
    torch.manual_seed(5)
    catalogue = Catalogue(_items(rng))
    category_of = np.arange(ITEMS) % len(TYPES)
    bought = _purchases(rng, category_of)
    encoder = text_encoders.load("embedded")
    texts = [item_text(item) for item in catalogue.items]
    embeddings = encoder.encode(texts)
    features = _features(embeddings, texts)
    text_tower = (
        TextTower(features.projection.shape[1], _transformer("text")).eval().requires_grad_(requires_grad=False)
    )
    sequence_tower = SequenceTower(_transformer("sequence")).eval().requires_grad_(requires_grad=False)
    blocks = (
        unit(rng.standard_normal((ITEMS, DIM["sequence"])) + 2 * _of_category(rng, category_of, DIM["sequence"])),
        text_tower.item_vectors(torch.from_numpy(features.transform(embeddings, texts))).numpy(),
        features.lexical.whitened(features.lexical.encode(texts), DIM["lexical"]),
        np.eye(len(TYPES))[category_of] + 0.2 * rng.standard_normal((ITEMS, len(TYPES))),
        _item_only(bought),
    )
    cohorts = bought.sum(axis=0)
    companions, companion_buyers = _companions(bought)
    neighbour_rows, neighbour_weights = _neighbours(bought)
    weights = FusionWeights(BlockWeights(1.0, 0.8, 0.4, 0.6, 0.3, 0.05, 0.05), BlockWeights(text=1.0, prior=0.3))
    vectors = np.concatenate(blocks, axis=1).astype(np.float32)
    bundle = Bundle(
        catalogue=catalogue,
        item_vectors=vectors,
        buyers=(cohorts // 2).astype(np.int32),
        purchases=cohorts.astype(np.int32),
        cohorts=cohorts.astype(np.int32),
        companions=companions,
        companion_buyers=companion_buyers,
        repeat_rates=rng.uniform(0.5, 2.0, ITEMS).astype(np.float32),
        repeat_intervals=rng.uniform(10, 60, ITEMS).astype(np.float32),
        neighbour_rows=neighbour_rows,
        neighbour_weights=neighbour_weights,
        text_codes=encode_8_bits(embeddings),
        category_codes=encode_8_bits(encoder.encode(list(map(category_text, catalogue.paths.names)))),
        text_projection=np.empty((0, 0), np.float32),
        features=features,
        text_tower=text_tower,
        sequence_tower=sequence_tower,
        model=ModelConfig(
            text=text_tower.config,
            text_features=text_tower.features,
            sequence=sequence_tower.config,
            fusion=weights,
            confidence=ConfidenceConfig(),
            repeats=RepeatConfig(weight=0.2, coefficients=(*REPEAT_COEFFICIENTS.values(), -3.0)),
            neighbours=NeighbourConfig(weight=0.3, decay=0.8),
            lexical_dim=DIM["lexical"],
            lexical_decay=0.6,
            collaborative_dim=len(TYPES),
            regularization=0.1,
            history_length=256,
            similar_from=float(np.percentile(embeddings @ embeddings.T, 99.5)),
            popularity_days=30,
            cohort_days=365,
            text_encoder="embedded",
            text_encoder_fingerprint=encoder.fingerprint,
        ),
        provenance={"created": "2026-01-01T00:00:00+00:00", "data": {}},
    )
    vectors[-UNSOLD:] = bundle.new_item_vectors(embeddings[-UNSOLD:], texts[-UNSOLD:])
    bundle_id = bundle_files.save(bundle, folder / "new")
    return (folder / "new").rename(folder / bundle_id)


def _items(rng: np.random.Generator) -> list[Item]:
    items = []
    paths = list(TYPES)
    for row in range(ITEMS):
        path = paths[row % len(paths)]
        thing = TYPES[path][row // len(paths) % len(TYPES[path])]
        brand = "" if row % 40 == 39 else str(rng.choice(BRANDS))
        finish, size = str(rng.choice(FINISHES)), str(rng.choice(SIZES))
        items.append(
            Item(
                item_id=f"i{row:05}",
                title=f"{brand} {thing} {row // 40 + 1}, {finish}, {size}".strip(),
                brand=brand,
                categories=(*path, thing),
                price=None if row % 50 == 49 else round(float(rng.uniform(5, 300)), 2),
                currency="GBP",
                attributes=(("finish", finish), ("size", size)),
            )
        )
    return items


def _purchases(rng: np.random.Generator, category_of: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Bool (shoppers, items): each buys in two categories, some items far more often than others."""
    tastes = np.stack([rng.permutation(len(TYPES))[:2] for _ in range(SHOPPERS)])
    liked = (category_of == tastes[:, :1]) | (category_of == tastes[:, 1:])
    appeal = rng.permutation(1 / np.arange(1, ITEMS + 1) ** 0.3)
    bought = (liked & (rng.random((SHOPPERS, ITEMS)) < 0.6 * appeal)) | (rng.random((SHOPPERS, ITEMS)) < 0.005)
    bought[:, -UNSOLD:] = False
    return bought


def _features(embeddings: Floats, texts: list[str]) -> TextFeatures:
    """As training fits them: TF-IDF reduced by an SVD, beside the language model's embedding, whitened."""
    documents = Counter(term for text in texts for term in set(tokenize(text)))
    vocabulary = {term: column for column, term in enumerate(sorted(t for t, n in documents.items() if n > 1))}
    idf = np.array([np.log((1 + len(texts)) / (1 + documents[term])) + 1 for term in vocabulary], np.float32)
    unreduced = LexicalEncoder(vocabulary, idf, np.eye(len(vocabulary), dtype=np.float32), np.ones(1, np.float32))
    _, singular, components = np.linalg.svd(unreduced.encode(texts), full_matrices=False)
    kept = min(64, len(singular))
    lexical = LexicalEncoder(
        vocabulary, idf, np.ascontiguousarray(components[:kept].T, np.float32), singular[:kept].astype(np.float32)
    )
    joined = np.concatenate((embeddings, lexical.encode(texts)), axis=1)
    mean = joined.mean(axis=0)
    _, singular, components = np.linalg.svd(joined - mean, full_matrices=False)
    projection = components[:128].T * singular[:128] ** -0.75
    return TextFeatures(lexical, mean.astype(np.float32), projection.astype(np.float32))


def _transformer(block: str) -> TransformerConfig:
    return TransformerConfig(dim=DIM[block], max_length=50)


def _of_category(rng: np.random.Generator, category_of: NDArray[np.intp], dim: int) -> NDArray[np.float64]:
    return rng.standard_normal((len(TYPES), dim))[category_of]


def _item_only(bought: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(items, 3): popularity, newness and unseen, each 0 to 1."""
    counts = bought.sum(axis=0)
    return np.stack((np.log1p(counts) / np.log1p(counts.max()), np.linspace(0, 1, ITEMS), counts == 0), axis=1)


def _together(bought: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Int32 (items, items): how many shoppers bought both items; 0 for an item and itself."""
    together = bought.T.astype(np.int32) @ bought.astype(np.int32)
    np.fill_diagonal(together, 0)
    return together


def _neighbours(bought: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.float16]]:
    """(items, 12) each: the items that most of an item's buyers bought too, for how seldom they are bought.

    Unsold items have none, and are none.
    """
    likeness = _together(bought) / np.maximum(bought.sum(axis=0), 1) ** 0.7
    rows = np.argsort(-likeness, axis=1, kind="stable")[:, :12].astype(np.int32)
    weights = np.take_along_axis(likeness, rows, axis=1)
    weights /= weights[:, 0].mean()
    return np.where(weights > 0, rows, np.int32(NO_ROW)), weights.astype(np.float16)


def _companions(bought: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Int32 (items, 8) each: which items most of an item's buyers bought too, and how many did."""
    together = _together(bought)
    companions = np.argsort(-together, axis=1, kind="stable")[:, :8].astype(np.int32)
    return companions, np.take_along_axis(together, companions, axis=1).astype(np.int32)
