"""Queries from titles: two words that say something, the same by the same seed, of the right item."""

import numpy as np
import pytest

from recsvc.domain.shop import History, Item
from recsvc.model.catalogue import Catalogue
from training.data.split import Holdout
from training.search_evaluation.queries import SearchQuery, shared_words
from training.search_evaluation.title_queries import bought_items, known_items

TITLES = (
    "Fernhollow Boots for Muddy Paths, 7",
    "Tea",  # one word: no query
    "Kettle & Cup 500 ml",
    "泥爪 真皮牵引绳 老年犬款 湖蓝",
    "真皮牵引绳老年犬款湖蓝",  # without spaces
    "12 x 30 for the",  # nothing that says something
)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([Item(f"i{row}", title) for row, title in enumerate(TITLES)])


def test_known_items_are_asked_for_by_two_words_of_their_title_in_its_order(catalogue: Catalogue):
    queries = known_items(catalogue, 10, seed=0)
    assert sorted(int(query.relevant[0]) for query in queries) == [0, 2, 3, 4]
    for query in queries:
        title = TITLES[query.relevant[0]]
        first, second = query.text.split()
        assert 0 <= title.find(first) < title.rfind(second)
        assert not {first, second} & {"for", "7", "500"}
        assert shared_words(query, catalogue)


def test_known_items_depend_on_the_seed_alone(catalogue: Catalogue):
    texts = [[query.text for query in known_items(catalogue, 2, seed)] for seed in (0, 0, 1, 2, 3)]
    assert texts[0] == texts[1]
    assert len({tuple(query) for query in texts}) > 1
    assert all(len(query) == 2 for query in texts)


def test_bought_items_carry_the_history_of_their_buyer(catalogue: Catalogue):
    histories = [History.empty(), History.empty()]
    targets = [np.array([2], np.int32), np.array([1], np.int32)]
    holdout = Holdout(np.arange(2), histories, targets, time=0, exclude_history=False)
    [query] = bought_items(catalogue, holdout, 10, seed=0)  # the other user's item has no two words
    assert query.relevant.tolist() == [2]
    assert query.history is histories[0]


def test_shared_words_leave_out_words_that_say_nothing(catalogue: Catalogue):
    row = np.array([0], np.int32)
    assert shared_words(SearchQuery("shoes for mountains", row, "phrase"), catalogue) == set()
    assert shared_words(SearchQuery("muddy shoes", row, "phrase"), catalogue) == {"muddy"}
    assert shared_words(SearchQuery("牵引我的狗", np.array([4], np.int32), "phrase"), catalogue) == {"牵引"}
