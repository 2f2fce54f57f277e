"""Baselines on a shop so small that the answer is known, and ties that count against a model."""

import numpy as np
import pytest

from recsvc.domain.shop import EventType, History, Item
from recsvc.model.catalogue import Catalogue
from recsvc.ranking import Ranking
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.split import Holdout
from training.evaluation.baselines import (
    Task,
    covisitation_and_text,
    item_knn,
    personal_frequency,
    popularity,
    rank_all,
    text_neighbours,
    tifu_knn,
)
from training.evaluation.offline_ranking import break_ties_against_targets

DAY = 86_400_000_000
TITLES = ("red mug", "blue mug", "garden rake", "garden spade", "red lamp", "odd sock")
# Users by what they bought, one thing a day: mugs go together, and so do the garden's tools.
BOUGHT = [[0, 1], [0, 1], [1, 0], [2, 3], [2, 3], [3, 2], [0, 0, 1, 4]]


def history(rows: list[int]) -> History:
    n = len(rows)
    times = DAY * np.arange(1, n + 1, dtype=np.int64)
    return History(np.array(rows, np.int32), times, np.full(n, EventType.PURCHASE, np.int8), np.ones(n, np.float32))


def holdout(histories: list[History], targets: list[int], exclude_history: bool = True) -> Holdout:
    wanted = [np.array([target], np.int32) for target in targets]
    return Holdout(np.arange(len(histories)), histories, wanted, 9 * DAY, exclude_history)


@pytest.fixture
def task() -> Task:
    histories = [history(rows) for rows in BOUGHT]
    columns = [
        np.concatenate([getattr(h, name) for h in histories])
        for name in ("rows", "timestamps", "event_types", "quantities")
    ]
    offsets = np.concatenate(([0], np.cumsum([len(h) for h in histories])))
    users = np.array([f"u{i}" for i in range(len(BOUGHT))], object)
    interactions = Interactions(users, len(TITLES), offsets, *columns)
    catalogue = Catalogue([Item(f"i{row}", title) for row, title in enumerate(TITLES)])
    words = {"red": 0, "blue": 1, "mug": 2, "garden": 3, "rake": 4, "spade": 5, "lamp": 6, "odd": 7, "sock": 8}
    features = np.zeros((len(TITLES), len(words)), np.float32)
    for row, title in enumerate(TITLES):
        features[row, [words[word] for word in title.split()]] = 0.5**0.5
    return Task(interactions, catalogue, features, holdout(histories[:4], [4, 4, 4, 5]), TrainConfig(factors=4))


def test_ties_count_against_the_model() -> None:
    users = holdout([history([0])], [3], exclude_history=False)
    (found,) = rank_all(lambda part: np.zeros((len(part), 6), np.float32), users, 6)
    assert found[-1] == 3
    (found,) = rank_all(lambda part: np.array([[0.0, 0.5, 1.0, 1.0, 0.2, 0.1]], np.float32), users, 3)
    assert found.tolist() == [2, 3, 1]
    tied = Ranking(np.array([3, 5, 1], np.int32), np.array([1.0, 1.0, 0.5], np.float32))
    assert break_ties_against_targets([tied], users, 2)[0].tolist() == [5, 3]


def test_history_is_left_out_if_the_holdout_excludes_it(task: Task) -> None:
    users = holdout([history([0, 1, 2])], [3])
    (found,) = rank_all(popularity(task), users, 10)
    assert sorted(found.tolist()) == [3, 4, 5]


def test_personal_frequency_orders_by_count_then_recency_then_popularity(task: Task) -> None:
    users = holdout([history([2, 4, 2, 3, 4, 1])], [5], exclude_history=False)
    (found,) = rank_all(personal_frequency(task), users, 5)
    assert found.tolist() == [4, 2, 1, 3, 0]


@pytest.mark.parametrize("baseline", [item_knn, covisitation_and_text, tifu_knn])
def test_item_knn_finds_items_bought_together(task: Task, baseline) -> None:
    users = holdout([history([0]), history([3])], [1, 2], exclude_history=True)
    mug, garden = rank_all(baseline(task), users, 2)
    assert (mug[0], garden[0]) == (1, 2)


def test_covisitation_and_text_finds_items_with_the_same_words(task: Task) -> None:
    (found,) = rank_all(covisitation_and_text(task), holdout([history([5, 4])], [0]), 2)
    assert found[0] in (0, 1)


def test_text_neighbours_find_cold_items_and_skip_bought_ones(task: Task) -> None:
    users = holdout([history([4])], [0], exclude_history=False)
    (found,) = rank_all(text_neighbours(task), users, 6)
    assert found[0] == 0  # the other red thing
    assert 4 not in found


def test_tifu_recommends_the_users_repeat_purchases(task: Task) -> None:
    users = holdout([history([5, 5, 2, 5])], [5], exclude_history=False)
    (found,) = rank_all(tifu_knn(task), users, 2)
    assert found.tolist() == [5, 2]
