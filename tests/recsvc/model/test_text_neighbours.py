"""The nearest bought items by text: how many, how each counts, and that memory allows any number of items."""

import numpy as np
import pytest

from recsvc.model import text_neighbours
from recsvc.model.text_neighbours import NEIGHBOURS, SHARPNESS, mean_of_neighbours, nearest_bought
from recsvc.model.vectors import decode_8_bits, encode_8_bits, unit

ITEMS, DIM = 60, 24


@pytest.fixture
def codes() -> np.ndarray:
    return encode_8_bits(unit(np.random.default_rng(1).standard_normal((ITEMS, DIM))))


def test_the_mean_is_over_the_nearest_bought_items_by_their_cosines(codes: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((ITEMS, 5)).astype(np.float32)
    texts, bought = unit(rng.standard_normal((4, DIM))), np.arange(0, ITEMS, 2)
    means = mean_of_neighbours(*nearest_bought(texts, codes, bought), vectors)
    for text, mean in zip(texts, means, strict=True):
        cosines = decode_8_bits(codes[bought]) @ text
        best = np.argsort(-cosines)[:NEIGHBOURS]
        weights = np.maximum(cosines[best], 0) ** SHARPNESS
        # The codes of unit vectors are nearly of length 1.
        np.testing.assert_allclose(mean, weights @ vectors[bought[best]] / weights.sum(), atol=0.01)


def test_items_in_several_chunks_give_the_same(codes: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.eye(ITEMS, dtype=np.float32)
    arguments = decode_8_bits(codes[:3]), codes, np.arange(3, ITEMS)
    at_once = mean_of_neighbours(*nearest_bought(*arguments), vectors)
    monkeypatch.setattr(text_neighbours, "CHUNK_ROWS", 7)
    np.testing.assert_allclose(mean_of_neighbours(*nearest_bought(*arguments), vectors), at_once, atol=1e-6)
    assert (np.count_nonzero(at_once, axis=1) <= NEIGHBOURS).all()
    assert not at_once[:, :3].any()  # not among the bought


def test_fewer_bought_items_than_neighbours_are_all_taken(codes: np.ndarray) -> None:
    nearest = nearest_bought(decode_8_bits(codes[:1]), codes, np.array([0, 0]))
    [mean] = mean_of_neighbours(*nearest, np.eye(ITEMS, dtype=np.float32))
    assert mean[0] == pytest.approx(1.0)


def test_a_text_that_resembles_none_gives_zero(codes: np.ndarray) -> None:
    texts = np.stack([-decode_8_bits(codes[:1])[0], np.zeros(DIM, np.float32)])
    nearest = nearest_bought(texts, codes, np.array([0]))
    assert not mean_of_neighbours(*nearest, np.eye(ITEMS, dtype=np.float32)).any()
