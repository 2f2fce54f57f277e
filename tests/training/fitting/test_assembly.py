"""The likeness from which two items count as similar."""

import numpy as np
import pytest

from recsvc.model.vectors import encode_8_bits, unit
from training.config import TrainConfig
from training.fitting.assembly import MIN_SIMILAR_FROM, similar_from

CONFIG = TrainConfig()


def codes_of_clusters(n_clusters: int, size: int, offset: float) -> np.ndarray:
    """Items in clusters of near duplicates; a larger offset makes all items more alike, as some encoders do."""
    rng = np.random.default_rng(3)
    centres = np.repeat(unit(rng.standard_normal((n_clusters, 64))), size, axis=0)
    vectors = centres + 0.02 * rng.standard_normal(centres.shape)
    vectors[:, 0] += offset
    return encode_8_bits(unit(vectors))


@pytest.mark.parametrize("offset", [0.0, 1.5])
def test_threshold_is_passed_by_near_duplicates_alone_whatever_the_encoder(offset):
    codes = codes_of_clusters(700, 2, offset)
    threshold = similar_from(codes, CONFIG)
    vectors = unit(codes)
    likeness = vectors @ vectors.T
    duplicates = likeness[np.arange(0, 1400, 2), np.arange(1, 1400, 2)]
    others = np.triu(likeness, 2)[np.triu_indices(1400, 2)]
    assert (others >= threshold).mean() < 0.001
    assert (duplicates >= threshold).mean() > 0.95


def test_threshold_of_empty_texts_is_passed_by_nothing():
    assert similar_from(np.zeros((50, 8), np.int8), CONFIG) == MIN_SIMILAR_FROM


def test_threshold_of_one_item_is_1():
    assert similar_from(codes_of_clusters(1, 1, 0.0), CONFIG) == 1.0
