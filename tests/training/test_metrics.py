"""Metrics against values computed by hand."""

import numpy as np
import pytest

from training.metrics import interval, per_user


def rows(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def test_metrics_equal_values_computed_by_hand() -> None:
    values = per_user([rows(*range(20)), rows(5, 6, 7)], [rows(1, 14, 99), rows(5)])
    discount = 1 / np.log2(3)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert values["recall@10"].tolist() == pytest.approx([1 / 3, 1.0])
    assert values["recall@20"].tolist() == pytest.approx([2 / 3, 1.0])
    assert values["ndcg@10"].tolist() == pytest.approx([discount / ideal, 1.0])
    assert values["ndcg@20"].tolist() == pytest.approx([(discount + 1 / np.log2(16)) / ideal, 1.0])
    assert values["mrr@10"].tolist() == pytest.approx([0.5, 1.0])


def test_the_ideal_list_is_full_of_targets_where_there_are_more_than_places() -> None:
    values = per_user([rows(*range(20))], [rows(*range(50))])
    assert values["ndcg@10"].tolist() == pytest.approx([1.0])
    assert values["recall@10"].tolist() == pytest.approx([0.2])


def test_metrics_of_no_users_are_empty() -> None:
    assert all(len(values) == 0 for values in per_user([], []).values())


def test_an_interval_contains_the_mean_and_narrows_with_more_users() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for users in (50, 5_000):
        values = interval(rng.random(users))
        mean, low, high = (values[name] for name in ("mean", "low", "high"))
        assert mean is not None
        assert low is not None
        assert high is not None
        assert low < mean < high
        widths.append(high - low)
    # 1.96 standard errors of a uniform variable on each side.
    assert widths[1] == pytest.approx(2 * 1.96 / np.sqrt(12 * 5_000), rel=0.15)
    assert widths[0] > 5 * widths[1]


def test_an_interval_of_no_users_has_no_values() -> None:
    assert interval(np.empty(0)) == {"mean": None, "low": None, "high": None}
