"""The likeness from which two items count as similar."""

import numpy as np
import pytest

from recsvc.model.vectors import encode_8_bits, unit
from training.config import TrainConfig
from training.fitting.assembly import MIN_SIMILAR_FROM, similar_from

CONFIG = TrainConfig()


def codes_of_pairs(n_pairs: int, offset: float) -> np.ndarray:
    """Items 2 i and 2 i + 1 are near duplicates; a larger offset makes all items more alike, as some encoders do."""
    rng = np.random.default_rng(3)
    vectors = np.repeat(unit(rng.standard_normal((n_pairs, 64))), 2, axis=0)
    vectors += 0.02 * rng.standard_normal(vectors.shape)
    vectors[:, 0] += offset
    return encode_8_bits(unit(vectors))


@pytest.mark.parametrize("offset", [0.0, 1.5])
def test_threshold_is_passed_by_near_duplicates_and_few_others_whatever_the_encoder(offset):
    codes = codes_of_pairs(1200, offset)
    threshold, vectors = similar_from(codes, CONFIG), unit(codes)
    assert ((vectors[::2] * vectors[1::2]).sum(axis=1) >= threshold).all()
    others = (vectors[::2] @ vectors[1::2].T)[~np.eye(1200, dtype=np.bool_)]
    assert (others >= threshold).mean() < 0.001


def test_threshold_of_empty_texts_is_passed_by_nothing():
    assert similar_from(np.zeros((50, 8), np.int8), CONFIG) == MIN_SIMILAR_FROM


def test_threshold_of_one_item_is_1():
    assert similar_from(codes_of_pairs(1, 0.0)[:1], CONFIG) == 1.0
