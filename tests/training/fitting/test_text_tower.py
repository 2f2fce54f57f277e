"""The items of the text block: a bought item moves away from its text, up to a bound; another one stays."""

from pathlib import Path

import numpy as np
import pytest
import torch

from recsvc.model import bundle_files, text_encoders
from recsvc.model.text_encoder import item_text
from recsvc.model.towers.text import TextTower
from recsvc.model.towers.transformer import TransformerConfig
from training.config import TrainConfig
from training.fitting.next_item import Sequences, fit_next_item
from training.fitting.text_tower import OFFSET, TextModel

ITEMS, DIM = 12, 16


@pytest.fixture(scope="module")
def trained() -> tuple[TextModel, np.ndarray]:
    """Items 0 to 9 are bought in order. Pairs of items have the same text, so that the text cannot tell them apart."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(ITEMS // 2, 8)), 2, axis=0).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    config = TrainConfig(text_dim=DIM, batch_events=64)
    users = 60
    nobody = np.zeros((users, 8), np.float32), np.zeros(users, bool)
    model = TextModel(TextTower(8, TransformerConfig(DIM)), features, *nobody, config)
    histories = [np.arange(start, start + 4, dtype=np.int32) % 10 for start in rng.integers(0, 10, users)]
    fit_next_item(model, Sequences.of(histories, 50), config, learning_rate=1e-2, epochs=10)
    return model, features


def test_bought_items_with_the_same_text_have_different_vectors(trained: tuple[TextModel, np.ndarray]) -> None:
    model, features = trained
    block = model.block(features)
    np.testing.assert_allclose(np.linalg.norm(block, axis=1), 1.0, atol=1e-5)
    assert block[0] @ block[1] < 0.99
    texts = model.tower.item_vectors(torch.from_numpy(features)).detach().numpy()
    # The longest offset turns a unit vector by asin(OFFSET).
    assert (np.einsum("nd,nd->n", block, texts) >= np.sqrt(1 - OFFSET**2) - 1e-5).all()


def test_an_item_that_nobody_bought_has_the_vector_of_its_text(trained: tuple[TextModel, np.ndarray]) -> None:
    model, features = trained
    texts = model.tower.item_vectors(torch.from_numpy(features)).detach().numpy()
    np.testing.assert_allclose(model.block(features)[10:], texts[10:], atol=1e-6)


def test_a_bought_item_of_a_trained_bundle_is_near_its_text(trained_bundle: Path) -> None:
    bundle = bundle_files.load(trained_bundle)
    bought = np.flatnonzero(bundle.purchases)[:50]
    texts = [item_text(bundle.catalogue.items[row]) for row in bought]
    of_text = bundle.vectors_of_texts(text_encoders.load("embedded").encode(texts), texts)[:, bundle.layout.text]
    closeness = np.einsum("nd,nd->n", of_text, bundle.item_vectors[bought, bundle.layout.text])
    assert (closeness > np.sqrt(1 - OFFSET**2) - 0.02).all()


def test_an_item_that_nobody_bought_has_the_vector_that_the_service_gives_a_new_one(trained_bundle: Path) -> None:
    bundle = bundle_files.load(trained_bundle)
    cold = np.flatnonzero(bundle.purchases == 0).astype(np.int32)
    texts = [item_text(bundle.catalogue.items[row]) for row in cold]
    assert len(cold)
    np.testing.assert_allclose(
        bundle.item_vectors[cold], bundle.new_item_vectors(bundle.text_vectors(cold), texts), atol=1e-5
    )
