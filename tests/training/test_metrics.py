"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from training.metrics import interval, per_user


def rows(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def test_values_by_hand() -> None:
    values = per_user([rows(*range(20)), rows(5, 6, 7)], [rows(1, 14, 99), rows(5)])
    discount = 1 / np.log2(3)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert values["recall@10"].tolist() == pytest.approx([1 / 3, 1.0])
    assert values["recall@20"].tolist() == pytest.approx([2 / 3, 1.0])
    assert values["ndcg@10"].tolist() == pytest.approx([discount / ideal, 1.0])
    assert values["ndcg@20"].tolist() == pytest.approx([(discount + 1 / np.log2(16)) / ideal, 1.0])
    assert values["mrr@10"].tolist() == pytest.approx([0.5, 1.0])


def test_the_ideal_of_many_targets_fills_the_cut() -> None:
    values = per_user([rows(*range(20))], [rows(*range(50))])
    assert values["ndcg@10"].tolist() == pytest.approx([1.0])
    assert values["recall@10"].tolist() == pytest.approx([0.2])


def test_nobody_has_no_values() -> None:
    assert all(len(values) == 0 for values in per_user([], []).values())


def test_an_interval_holds_its_mean_and_narrows() -> None:
    rng = np.random.default_rng(0)
    few, many = interval(rng.random(50)), interval(rng.random(5_000))
    assert interval(np.empty(0)) == {"mean": None, "low": None, "high": None}
    for found in (few, many):
        assert found["low"] < found["mean"] < found["high"]
    # 1.96 standard errors of a uniform variable on each side.
    assert many["high"] - many["low"] == pytest.approx(2 * 1.96 / np.sqrt(12 * 5_000), rel=0.15)
    assert few["high"] - few["low"] > 5 * (many["high"] - many["low"])
