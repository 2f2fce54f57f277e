"""Gains of neighbours, against a slow sum in plain Python, and each item of a history left out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.arrays import NO_ROW
from recsvc.model.neighbours import NEWEST_ITEMS, NeighbourConfig, Neighbours
from recsvc.model.text_links import TextLinks
from recsvc.model.text_neighbours import NEIGHBOURS

TRAINED, NEW, WIDTH = 30, 4, 5
N = TRAINED + NEW


@st.composite
def neighbours(draw: st.DrawFn) -> Neighbours:
    """Rows of distinct items, some of them shorter, with and without items that came after training."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = np.stack([rng.permutation(np.delete(np.arange(TRAINED), i))[:WIDTH] for i in range(TRAINED)])
    weights = rng.random(rows.shape).astype(np.float16)
    absent = rng.random(rows.shape) < draw(st.sampled_from([0.0, 0.3, 1.0]))
    rows, weights = np.where(absent, NO_ROW, rows).astype(np.int32), np.where(absent, 0, weights).astype(np.float16)
    links = None
    if draw(st.booleans()):
        bought = np.stack([rng.permutation(TRAINED)[:NEIGHBOURS] for _ in range(NEW)])
        cosines = rng.uniform(-0.2, 1, bought.shape).astype(np.float32)
        links = TextLinks.empty(weights).with_items(N, np.arange(TRAINED, N, dtype=np.int32), bought, cosines)
    return Neighbours(rows, weights, links)


configs = st.builds(NeighbourConfig, weight=st.floats(0.01, 2), decay=st.sampled_from([0.0, 0.5, 0.8, 1.0]))


def sequences(n: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, n - 1), max_size=45)


def slow_gains(neighbours: Neighbours, sequence: list[int], config: NeighbourConfig) -> dict[int, float]:
    newest = list(dict.fromkeys(reversed(sequence)))[:NEWEST_ITEMS]
    sums: dict[int, float] = {}
    for place, item in enumerate(newest):
        lists = [(neighbours.rows, neighbours.weights)] if item < len(neighbours.rows) else []
        if neighbours.links is not None:
            lists.append(neighbours.links.of_items(np.arange(N, dtype=np.int32)))
        for rows, weights in lists:
            for row, weight in zip(rows[item].tolist(), weights[item].tolist(), strict=True):
                if row != NO_ROW:
                    sums[row] = sums.get(row, 0.0) + weight * config.decay**place
    length = math.sqrt(sum(value**2 for value in sums.values()))
    return {row: config.weight * value / length for row, value in sums.items() if value > 0}


@given(neighbours(), sequences(N), configs)
def test_gains_equal_a_plain_sum_over_the_newest_items(
    neighbours: Neighbours, sequence: list[int], config: NeighbourConfig
) -> None:
    if neighbours.links is None:
        sequence = [row % TRAINED for row in sequence]
    gains = neighbours.of_newest(np.array(sequence, np.int32)).gains(config)
    expected = slow_gains(neighbours, sequence, config)
    assert gains.rows.tolist() == sorted(expected)
    assert gains.scores.tolist() == pytest.approx([expected[row] for row in sorted(expected)], rel=1e-4)
    if expected:
        assert np.linalg.norm(gains.scores) == pytest.approx(config.weight, rel=1e-4)


@given(neighbours(), sequences(N), configs, st.lists(st.integers(0, TRAINED - 1), unique=True, max_size=25))
def test_left_out_equals_the_gains_of_the_history_without_the_item(
    neighbours: Neighbours, sequence: list[int], config: NeighbourConfig, others: list[int]
) -> None:
    if neighbours.links is None:
        sequence = [row % TRAINED for row in sequence]
    left_out_rows = np.unique(sequence + others).astype(np.int32)
    rows = np.arange(N, dtype=np.int32)
    gains = neighbours.of_newest(np.array(sequence, np.int32)).gains_without(left_out_rows, rows, config)
    assert gains.shape == (len(left_out_rows), N)
    for left_out, gains_without in zip(left_out_rows.tolist(), gains, strict=True):
        without = np.array([row for row in sequence if row != left_out], np.int32)
        expected = neighbours.of_newest(without).gains(config)
        np.testing.assert_allclose(gains_without[np.isin(rows, expected.rows)], expected.scores, rtol=1e-4)
        assert not gains_without[~np.isin(rows, expected.rows)].any()


def test_weight_zero_gives_no_gain() -> None:
    rows, weights = np.array([[1], [0]], np.int32), np.ones((2, 1), np.float16)
    sequence = np.array([0, 1], np.int32)
    assert not len(Neighbours(rows, weights).of_newest(sequence).gains(NeighbourConfig(weight=0.0)).rows)
    newest = Neighbours(rows, weights).of_newest(sequence)
    assert not newest.gains_without(sequence, sequence, NeighbourConfig(weight=0.0)).any()


def test_an_older_item_than_the_newest_counts_only_in_place_of_one_left_out() -> None:
    n = NEWEST_ITEMS + 2
    rows = np.arange(n, dtype=np.int32)[:, None] + n  # each item has one neighbour of its own
    both = Neighbours(np.concatenate((rows, np.full_like(rows, NO_ROW))), np.ones((2 * n, 1), np.float16))
    sequence, config = np.arange(n, dtype=np.int32), NeighbourConfig(weight=1.0, decay=0.9)
    assert both.of_newest(sequence).gains(config).rows.tolist() == list(range(n + 2, 2 * n))
    left_out, columns = np.array([0, n - 1], np.int32), np.arange(2 * n, dtype=np.int32)
    gains = both.of_newest(sequence).gains_without(left_out, columns, config)
    assert columns[gains[0] > 0].tolist() == list(range(n + 2, 2 * n))  # the oldest counted nothing
    assert columns[gains[1] > 0].tolist() == list(range(n + 1, 2 * n - 1))


@given(neighbours(), st.integers(0, N - 1))
def test_items_with_a_neighbour_are_those_whose_history_raises_it(neighbours: Neighbours, row: int) -> None:
    n = TRAINED if neighbours.links is None else N
    config = NeighbourConfig(weight=1.0)
    having = neighbours.items_with(row)
    assert having.shape == (n,)
    for item in range(n):
        raised = row in neighbours.of_newest(np.array([item], np.int32)).gains(config).rows
        assert raised <= having[item]
