"""Counting the candidates that score as much gives the NDCG of a full sort, for each of several weights."""

import numpy as np
import pytest

from training.fitting import target_ranks
from training.fitting.target_ranks import ndcg_along, ndcg_of

RNG = np.random.default_rng(0)


def _by_sorting(scores: np.ndarray, is_target: np.ndarray, n_targets: int, cut: int) -> float:
    hits = is_target[np.argsort(-scores, kind="stable")][:cut]
    discounts = 1 / np.log2(np.arange(2, cut + 2))
    return float((discounts[: len(hits)] * hits).sum() / discounts[: min(n_targets, cut)].sum())


@pytest.mark.parametrize("most_targets", [1, 4])
@pytest.mark.parametrize("cut", [3, 10])
def test_counted_ranks_give_the_ndcg_of_a_sort_for_each_weight(
    most_targets: int, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_ranks, "SCORES_AT_ONCE", 100)  # a few users at a time, the last part short
    held, p, users = 23, 33, np.arange(0, 46, 2)
    others, column = RNG.normal(size=(2, held, p)).astype(np.float32)
    is_target = np.argsort(RNG.random((held, p)), axis=1) < RNG.integers(0, most_targets + 1, (held, 1))
    targets = np.full(47, 2)
    targets[users] = is_target.sum(axis=1) + 1  # one target is not among the candidates
    weights = (0.0, 0.5, 3.0)
    for weight, ndcg in zip(
        weights, ndcg_along(others, column, weights, is_target, users, targets, cut=cut), strict=True
    ):
        scores = others + np.float32(weight) * column
        expected = np.zeros(47)
        expected[users] = [_by_sorting(scores[h], is_target[h], targets[user], cut) for h, user in enumerate(users)]
        np.testing.assert_allclose(ndcg, expected, atol=1e-12)
        np.testing.assert_allclose(ndcg_of(scores, is_target, users, targets, cut), expected, atol=1e-12)


def test_a_candidate_with_the_same_score_counts_against_the_target() -> None:
    scores, is_target = np.zeros((1, 3), np.float32), np.array([[True, False, False]])
    ndcg = ndcg_of(scores, is_target, np.array([0]), np.array([1]))
    assert ndcg == pytest.approx([1 / np.log2(4)])
