"""The events to learn from and the purchases held out, counted by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import Shop
from training.data.split import leave_one_out, time_split
from training.fitting.popularity import decayed_popularity, newness, recent_buyers

START = datetime(2024, 1, 1, tzinfo=UTC)


def shop(*events: tuple[str, str, float, str]) -> Interactions:
    """Events as (user, item, day, type) over the items a to f."""
    frame = pl.DataFrame(
        {
            "user_id": [user for user, *_ in events],
            "item_id": [item for _, item, *_ in events],
            "timestamp": [START + timedelta(days=day) for _, _, day, _ in events],
            "event_type": [event_type for *_, event_type in events],
            "quantity": [1.0] * len(events),
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    items = pl.DataFrame({"item_id": list("abcdef")})
    return Interactions.of(Shop(frame, items, pl.DataFrame(), (), ""))


def bought(user: str, items: str, first_day: float = 0) -> list[tuple[str, str, float, str]]:
    return [(user, item, first_day + day, "purchase") for day, item in enumerate(items)]


def test_time_split_by_hand() -> None:
    events = shop(
        *bought("u", "ab"), ("u", "c", 65, "purchase"), ("u", "d", 95, "purchase"), ("u", "a", 99, "purchase"),
        ("v", "e", 98, "purchase"), ("v", "f", 98, "view"), ("w", "f", 1, "purchase"),
        ("z", "a", 100, "view"),
    )  # fmt: skip
    split = time_split(events, 30, 256)
    assert split.train.rows.tolist() == [0, 1, 5]
    assert split.train_and_validation.rows.tolist() == [0, 1, 2, 5]
    assert events.user_ids[split.validation.users].tolist() == ["u"]
    assert [rows.tolist() for rows in split.validation.targets] == [[2]]
    assert events.user_ids[split.test.users].tolist() == ["u", "v"]  # z only viewed
    assert [rows.tolist() for rows in split.test.targets] == [[0, 3], [4]]
    assert [history.rows.tolist() for history in split.test.histories] == [[0, 1, 2], []]
    assert split.test.exclude_history  # in train nobody bought anything again


def test_leave_one_out_by_hand() -> None:
    events = shop(*bought("u", "abcd"), ("u", "e", 9, "view"), *bought("v", "ab"))
    split = leave_one_out(events, 2)
    assert [rows.tolist() for rows in split.test.targets] == [[3]]
    assert [rows.tolist() for rows in split.validation.targets] == [[2]]
    assert [history.rows.tolist() for history in split.test.histories] == [[1, 2]]  # the newest two
    assert split.train.rows.tolist() == [0, 1, 0, 1]  # v has too few to hold any out
    assert split.test.exclude_history


def test_ties_keep_the_order_of_the_file() -> None:
    events = shop(*[("u", item, 0, "purchase") for item in "dbeac"])
    split = leave_one_out(events, 256)
    assert [rows.tolist() for rows in split.test.targets] == [[2]]
    assert split.train.rows.tolist() == [3, 1, 4]


def test_time_split_of_too_short_a_time_is_refused_with_the_days() -> None:
    with pytest.raises(ValueError, match="before the last 60 days"):
        time_split(shop(*bought("u", "abc")), 30, 256)


def test_the_user_items_matrix_agrees_with_each_history() -> None:
    rng = np.random.default_rng(0)
    types = ["purchase", "view", "return"]
    events = shop(
        *[(f"u{rng.integers(9)}", "abcdef"[rng.integers(6)], i / 3, types[rng.integers(3)]) for i in range(200)]
    )
    config = ConfidenceConfig()
    matrix = events.user_items(config)
    for user, history in enumerate(events.histories()):
        liked = WeightedHistory.of(history, config)
        assert matrix[user].indices.tolist() == liked.rows.tolist()
        np.testing.assert_allclose(matrix[user].data, liked.confidence, rtol=1e-4)


def test_popularity_by_hand() -> None:
    events = shop(
        *[(user, "a", 0, "purchase") for user in "uvw"], ("u", "b", 30, "purchase"), ("u", "b", 60, "purchase")
    )
    decayed = decayed_popularity(events, 30.0)
    np.testing.assert_allclose(decayed[:2], np.log1p([3 / 4, 1 + 1 / 2]) / np.log1p(1.5), rtol=1e-6)
    assert recent_buyers(events, 31).tolist() == [0, 1, 0, 0, 0, 0]


def test_half_life_is_in_days() -> None:
    assert timedelta(days=1) // timedelta(microseconds=1) == MICROSECONDS_A_DAY
    assert TrainConfig().changed(["half_life_days=60"]).half_life_days == 60.0


def test_newness_by_hand() -> None:
    events = shop(*bought("u", "ab"), ("u", "a", 90, "purchase"), ("v", "c", 60, "purchase"), ("v", "d", 1, "view"))
    np.testing.assert_allclose(newness(events, 30.0), [1 / 8, 2 ** (-89 / 30), 1 / 2, 1, 1, 1], rtol=1e-6)


def test_bought_items_are_excluded_only_where_nobody_buys_again() -> None:
    several = [event for user in "stuv" for event in bought(user, "abc", 10)]
    later = [("u", "d", 65, "purchase"), ("u", "e", 95, "purchase"), ("u", "f", 100, "view")]
    split = time_split(shop(*several, ("u", "f", 50, "view"), *later), 30, 256)
    assert split.test.exclude_history
    assert split.test.excluded(0).tolist() == [0, 1, 2, 3]  # a viewed item may be recommended
    two_at_once = time_split(shop(*several, *bought("s", "abc", 10), *later), 30, 256)
    assert two_at_once.test.exclude_history
    again = time_split(shop(*several, ("s", "a", 20, "purchase"), *later), 30, 256)
    assert not again.test.exclude_history
    assert again.test.excluded(0).tolist() == []
