"""The neighbours of items on histories small enough to count by hand, and against a dense reference."""

import numpy as np
import pytest

from recsvc.domain.arrays import NO_ROW
from training.config import TrainConfig
from training.fitting import neighbours as neighbours_module
from training.fitting.covisitation import CovisitationConfig, covisitation
from training.fitting.neighbours import bought_together, compute_neighbours, mix, same_words
from training.fitting.stage import Arrays
from training.fitting.text_features import fit_lexical, tfidf

COUNTS = CovisitationConfig(20, backward_weight=0.5, distance_exponent=1.0, from_exponent=0.0, to_exponent=0.0)
TEXTS = ["red wool socks", "red wool scarf", "green wool scarf", "steel kettle", "steel kettle", "a lamp"]


def rows(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.fixture
def sequences() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 30, rng.integers(0, 9)).astype(np.int32) for _ in range(300)]


def test_a_person_counts_once_for_a_pair_by_the_shortest_distance() -> None:
    # 0 then 1 one apart, twice; 0 then 1 three apart; 1 then 0 one and two apart.
    together = bought_together([rows(0, 1, 0, 1)], 2, COUNTS).toarray()
    assert together.tolist() == [[0, 1 + 0.5], [1 + 0.5, 0]]
    two_people = bought_together([rows(0, 1, 0, 1), rows(0, 1)], 2, COUNTS).toarray()
    assert two_people.tolist() == [[0, 2 + 0.5], [1 + 1, 0]]


def test_people_who_buy_nothing_twice_are_counted_as_in_co_visitation(sequences: list[np.ndarray]) -> None:
    distinct = [np.unique(sequence)[::-1] for sequence in sequences]
    config = CovisitationConfig()
    expected = covisitation(distinct, 30, config).toarray()
    np.testing.assert_allclose(bought_together(distinct, 30, config).toarray(), expected, rtol=1e-6)


def test_pairs_of_many_people_are_counted_in_parts(
    sequences: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = bought_together(sequences, 30, COUNTS).toarray()
    monkeypatch.setattr(neighbours_module, "EVENTS_AT_ONCE", 7)
    np.testing.assert_allclose(bought_together(sequences, 30, COUNTS).toarray(), at_once, rtol=1e-6)


@pytest.mark.parametrize("items_at_once", [2, 100])
def test_words_in_common_are_cosines_of_other_items(items_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours_module, "ITEMS_AT_ONCE", items_at_once)
    found, cosines = same_words(TEXTS, 2, seed=0)
    words = tfidf(fit_lexical(TEXTS, 1, 0), TEXTS).toarray()
    expected = words @ words.T
    np.fill_diagonal(expected, 0)
    for row, (neighbours, values) in enumerate(zip(found, cosines, strict=True)):
        kept = neighbours != NO_ROW
        np.testing.assert_allclose(values[kept], expected[row, neighbours[kept]], rtol=1e-5)
        np.testing.assert_allclose(np.sort(values)[::-1], np.sort(expected[row])[::-1][:2], rtol=1e-5, atol=1e-7)
    assert found[3].tolist() == [4, NO_ROW]
    assert found[5].tolist() == [NO_ROW, NO_ROW]


@pytest.fixture
def parts(sequences: list[np.ndarray]) -> Arrays:
    texts = [f"{'red' if i % 3 else 'green'} thing number {i % 7}" for i in range(30)]
    return compute_neighbours(TrainConfig(neighbours=6), sequences, texts)


def test_strongest_companion_counts_one_on_average(parts: Arrays) -> None:
    assert parts["bought_weights"].max(axis=1).mean() == pytest.approx(1.0)
    assert (np.diff(parts["bought_weights"], axis=1) <= 0).all()


@pytest.mark.parametrize("words_weight", [0.0, 0.5, 3.0])
def test_mixture_keeps_the_strongest_of_the_sums(parts: Arrays, words_weight: float) -> None:
    dense = np.zeros((30, 31))
    for kind, weight in (("bought", 1.0), ("words", words_weight)):
        values = np.where(parts[f"{kind}_rows"] == NO_ROW, 0, parts[f"{kind}_weights"])
        np.add.at(dense, (np.arange(30)[:, None], parts[f"{kind}_rows"]), weight * values)
    mixed = mix(parts, words_weight)
    for row in range(30):
        kept = mixed.rows[row] != NO_ROW
        neighbours = mixed.rows[row][kept]
        assert row not in neighbours
        assert len(set(neighbours)) == len(neighbours)
        np.testing.assert_allclose(mixed.weights[row][kept], dense[row, neighbours], rtol=1e-3)
        np.testing.assert_allclose(mixed.weights[row], np.sort(dense[row])[::-1][:6], rtol=1e-3)
    assert not mixed.weights[mixed.rows == NO_ROW].any()


def test_items_that_nobody_bought_have_neighbours_by_their_words_alone() -> None:
    parts = compute_neighbours(TrainConfig(neighbours=3), [], TEXTS)
    assert (mix(parts, 0.0).rows == NO_ROW).all()
    assert mix(parts, 1.0).rows[0, 0] == 1
