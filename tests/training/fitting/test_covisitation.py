"""Co-visitation on histories small enough to count by hand."""

import numpy as np
import pytest

from training.fitting.covisitation import CovisitationConfig, covisitation, covisitation_factors


def rows(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def test_weights_equal_those_counted_by_hand() -> None:
    config = CovisitationConfig(2, backward_weight=0.5, distance_exponent=1.0, from_exponent=0.5, to_exponent=0.25)
    # 0 then 1 then 2 then 0: pairs one apart weigh 1, two apart 1/2, and half of that backwards.
    weights = covisitation([rows(0, 1, 2, 0)], 4, config).toarray()
    raw = np.zeros((4, 4))
    for before, after, distance in ((0, 1, 1), (1, 2, 1), (2, 0, 1), (0, 2, 2), (1, 0, 2)):
        raw[before, after] += 1 / distance
        raw[after, before] += 0.5 / distance
    totals = np.outer(raw.sum(axis=1) ** 0.5, raw.sum(axis=0) ** 0.25)
    np.testing.assert_allclose(weights, np.divide(raw, totals, where=totals > 0, out=np.zeros((4, 4))), rtol=1e-6)
    assert not weights[3].any()


def test_items_of_different_users_and_an_item_with_itself_have_no_weight() -> None:
    weights = covisitation([rows(0, 0, 1), rows(2, 3)], 4, CovisitationConfig())
    assert weights.diagonal().tolist() == [0.0] * 4
    assert weights[1, 2] == weights[2, 1] == weights[0, 2] == 0.0


def test_items_bought_together_have_similar_factors() -> None:
    rng = np.random.default_rng(0)
    histories = [rng.choice(np.arange(10, dtype=np.int32) + 10 * (i % 2), 6) for i in range(200)]
    factors = covisitation_factors(covisitation(histories, 21, CovisitationConfig()), 4, seed=0)
    similarity = factors @ factors.T
    np.fill_diagonal(similarity, np.nan)
    assert np.nanmin(similarity[:10, :10]) > np.nanmax(similarity[:10, 10:20])
    assert np.linalg.norm(factors[:20], axis=1) == pytest.approx(1.0, abs=1e-5)
    assert not factors[20].any()  # never bought


def test_factors_without_any_history_are_zero() -> None:
    assert not covisitation_factors(covisitation([], 5, CovisitationConfig()), 3, seed=0).any()
