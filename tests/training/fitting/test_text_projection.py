"""The projection of text vectors keeps the cosines of a shop's texts, and is left out where it would lose meaning."""

import numpy as np

from recsvc.model.vectors import projected, unit
from training.fitting.text_projection import fit_projection


def vectors_of(rank: int, n: int = 60, width: int = 40) -> np.ndarray:
    rng = np.random.default_rng(3)
    return unit(rng.standard_normal((n, rank)) @ rng.standard_normal((rank, width)))


def test_vectors_that_lie_in_few_directions_keep_their_cosines() -> None:
    vectors = vectors_of(rank=8)
    projection = fit_projection(vectors, 10)
    assert projection.shape == (40, 10)
    np.testing.assert_allclose(projection.T @ projection, np.eye(10), atol=1e-5)
    reduced = projected(vectors, projection)
    np.testing.assert_allclose(reduced @ reduced.T, vectors @ vectors.T, atol=1e-5)


def test_the_columns_that_hold_most_are_kept() -> None:
    vectors = unit(vectors_of(rank=40) * np.where(np.arange(40) < 4, 10, 0.1))
    projection = fit_projection(vectors, 4)
    assert (np.linalg.norm(projection[:4], axis=0) > 0.99).all()


def test_vectors_stay_as_they_are_where_they_are_narrow_or_the_items_are_few_or_the_setting_is_0() -> None:
    vectors = vectors_of(rank=40)
    for dim in (0, 31, 40, 384):  # 60 items suffice for 30 columns
        assert fit_projection(vectors, dim).size == 0
    np.testing.assert_allclose(projected(vectors, fit_projection(vectors, 0)), vectors, atol=1e-6)
    assert fit_projection(np.empty((0, 40), np.float32), 10).size == 0
