"""The metrics against results whose figures are known by hand."""

import numpy as np
import pytest

from training.search_evaluation.queries import SearchQuery
from training.search_evaluation.search_quality import METRICS, figures, per_query


def query(relevant: list[int], kind: str = "phrase") -> SearchQuery:
    return SearchQuery("q", np.array(relevant, np.int32), kind)


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


def test_metrics_of_results_worked_out_by_hand():
    results = [
        rows(5, 1, 2),  # first relevant item in place 2, both of two found
        rows(*range(100, 111), 3),  # in place 12: not on the first page
        rows(9),  # nothing relevant
        rows(),  # nothing at all
        rows(*range(10)),  # ten of twelve fit on the page
    ]
    queries = [query([1, 2]), query([3]), query([4]), query([4]), query(list(range(12)))]
    values = per_query(results, queries)
    assert values["mrr"].tolist() == pytest.approx([1 / 2, 1 / 12, 0, 0, 1])
    assert values["precision@10"].tolist() == pytest.approx([1, 0, 0, 0, 1])
    assert values["found@10"].tolist() == [1, 0, 0, 0, 1]


def test_empty_results_have_no_hits():
    assert all(value.tolist() == [0.0] for value in per_query([rows()], [query([1])]).values())


def test_figures_are_means_over_each_kind_and_over_all():
    queries = [query([1], "short"), query([1], "short"), query([1], "long")]
    results = {"a": [rows(1), rows(2, 1), rows(3)], "b": [rows(1)] * 3}
    measured = figures(results, queries, [q.kind for q in queries])
    assert list(measured) == ["all", "short", "long"]
    assert [measured[group]["queries"] for group in measured] == [3, 2, 1]
    assert measured["short"]["a"]["mrr"]["mean"] == pytest.approx(0.75)
    assert measured["all"]["a"]["mrr"]["mean"] == pytest.approx(0.5)
    for metric in METRICS:
        assert measured["all"]["b"][metric] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    interval = measured["all"]["a"]["mrr"]
    assert interval["low"] < interval["mean"] < interval["high"]
