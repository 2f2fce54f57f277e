"""The checkerboard shop: the withheld item is the one right answer, and every signal points to it."""

import itertools
import re

import polars as pl
import pytest

from training.synthetic.checkerboard import MAX_ITEMS, Checkerboard, checkerboard


def number(external_id: str) -> int:
    return int(external_id[1:])


@pytest.fixture(params=[(20, 20), (50, 30), (7, 9), (4, 4)])
def board(request) -> Checkerboard:
    return checkerboard(*request.param)


def test_each_user_buys_all_items_of_one_colour_but_the_withheld(board):
    bought = {
        user_id: set(item_ids) for user_id, item_ids in board.events.group_by("user_id").agg("item_id").iter_rows()
    }
    for user_id in board.users["user_id"]:
        colour = {item_id for item_id in board.items["item_id"] if number(item_id) % 2 == number(user_id) % 2}
        assert bought[user_id] == colour - {board.withheld[user_id]}
        assert board.withheld[user_id] in colour
    assert board.events.select("user_id", "item_id").is_unique().all()


def test_every_item_is_bought_by_somebody(board):
    assert set(board.events["item_id"]) == set(board.items["item_id"])


def test_every_item_is_withheld_once_where_users_are_as_many_as_items():
    board = checkerboard(40, 40)
    assert sorted(board.withheld.values()) == board.items["item_id"].to_list()


def test_timestamps_are_distinct_and_grow(board):
    assert board.events["timestamp"].diff().drop_nulls().dt.total_seconds().min() > 0
    assert board.events.schema["timestamp"] == pl.Datetime("us", "UTC")


def test_the_withheld_item_comes_next(board):
    """Another user who bought the last item of this user's history bought the withheld one next."""
    histories = dict(board.events.group_by("user_id", maintain_order=True).agg("item_id").iter_rows())
    follows = {(a, b) for items in histories.values() for a, b in itertools.pairwise(items)}
    successors = dict(follows)
    assert len(successors) == len(follows)
    for user_id, items in histories.items():
        assert successors.get(items[-1], board.withheld[user_id]) == board.withheld[user_id]


def test_texts_and_profiles_show_the_colour(board):
    words = [set(re.findall(r"[a-z]{3,}", " ".join(board.items["title"][c::2]).lower())) for c in (0, 1)]
    about = [set(board.users["about"][c::2]) for c in (0, 1)]
    assert words[0] & words[1] <= {"small", "medium", "large", "extra", "set", "two", "four"}
    assert not about[0] & about[1]
    assert board.items["categories"].n_unique() == 2


def test_titles_are_unique_up_to_the_limit():
    board = checkerboard(4, MAX_ITEMS)
    assert board.items["title"].n_unique() == MAX_ITEMS


@pytest.mark.parametrize(("n_users", "n_items"), [(3, 10), (10, 3), (10, MAX_ITEMS + 1), (0, 0)])
def test_a_checkerboard_of_a_size_outside_the_limits_is_refused(n_users, n_items):
    with pytest.raises(ValueError, match="a checkerboard has at least 4 users"):
        checkerboard(n_users, n_items)
