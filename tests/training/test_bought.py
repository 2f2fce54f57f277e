"""What was sent back does not count as bought in training, evaluation and the checks of reasons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsvc.domain.shop import EventType, Item
from recsvc.model.catalogue import Catalogue
from tests.training.search_evaluation.logged_searches import SearchLog
from training.config import TrainConfig
from training.data.bought import bought
from training.data.interactions import Interactions
from training.data.parquet_parts import LISTS, list_rows
from training.data.shop import LISTS_FOLDER, Shop
from training.data.split import leave_one_out, time_split
from training.evaluation.baselines import Task, item_knn, personal_frequency, tifu_knn
from training.fitting.copurchases import copurchases
from training.fitting.covisitation import CovisitationConfig
from training.fitting.event_sequences import event_sequences
from training.fitting.neighbours import bought_together
from training.fitting.popularity import decayed_popularity, newness, recent_buyers
from training.fitting.repeat_purchase import item_repeats
from training.off_policy.logged_lists import read_logged_lists
from training.reason_evaluation.bought_searches import bought_searches
from training.reason_evaluation.copy_rubric import SearchRecord
from training.reason_evaluation.truth import Purchases
from training.search_evaluation.exported_searches import read_exported_searches

START = datetime(2024, 1, 1, tzinfo=UTC)
ITEMS = "abcdef"
BUY, BACK, SEE = "purchase", "return", "view"


def table(*events: tuple[str, str, float, str] | tuple[str, str, float, str, float]) -> pl.DataFrame:
    """Events as (user, item, day, type) or (user, item, day, type, pieces)."""
    return pl.DataFrame(
        [
            (user, item, START + timedelta(days=day), kind, *(pieces or (1.0,)))
            for user, item, day, kind, *pieces in events
        ],
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
            "event_type": pl.String,
            "quantity": pl.Float64,
        },
        orient="row",
    )


def shop(*events: tuple[str, str, float, str] | tuple[str, str, float, str, float]) -> Interactions:
    return Interactions.of(Shop(table(*events), pl.DataFrame({"item_id": list(ITEMS)}), pl.DataFrame(), (), ""))


def people(n: int) -> list[str]:
    return [f"u{i:02}" for i in range(n)]


def both(n: int, *more: tuple[str, str, float, str]) -> Interactions:
    """N people who buy a, then b, and more."""
    return shop(*((user, item, day, BUY) for user in people(n) for day, item in enumerate("ab")), *more)


def test_columns_and_table_agree_with_each_history() -> None:
    rng = np.random.default_rng(0)
    kinds = [BUY, BUY, BACK, SEE]
    events = [
        (f"u{rng.integers(9)}", ITEMS[rng.integers(6)], i // 3, kinds[rng.integers(4)], float(rng.integers(1, 4)))
        for i in range(400)
    ]
    frame = table(*events).sort("user_id", "timestamp", maintain_order=True)
    interactions = shop(*events)
    expected = np.concatenate([history.purchases for history in interactions.histories()])
    assert 0 < expected.sum() < interactions.all_purchases.sum()
    assert interactions.purchases.tolist() == bought(frame).to_list() == expected.tolist()
    pieces = np.concatenate([history.counted_pieces for history in interactions.histories()])
    assert interactions.counted_pieces.tolist() == pieces.tolist()


def test_table_without_quantities_has_one_piece_an_event() -> None:
    frame = table(("u", "a", 1, BUY, 2.0), ("u", "a", 2, BUY), ("u", "a", 3, BACK))
    assert bought(frame.drop("quantity")).to_list() == [True, False, False]
    assert bought(frame.with_columns(quantity=pl.lit(None, pl.Float64))).to_list() == [True, False, False]
    assert bought(frame.clear()).to_list() == []


def test_cohorts_and_companions_are_people_who_kept_both(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("MIN_COHORT", 3), ("MIN_CO_BUYERS", 2), ("MIN_CO_PURCHASE_LIFT", 0)):
        monkeypatch.setattr(f"training.fitting.copurchases.{name}", few)
    kept = copurchases(both(6), 100)
    assert (kept.cohorts[:2].tolist(), kept.companion_buyers[0, 0]) == ([6, 6], 6)
    sent_back = copurchases(both(6, *((user, "b", 9, BACK) for user in people(3))), 100)
    assert (sent_back.cohorts[:2].tolist(), sent_back.companion_buyers[0, 0]) == ([6, 3], 3)
    nobody = copurchases(both(6, *((user, "b", 9, BACK) for user in people(6))), 100)
    assert (nobody.companions == -1).all()


def test_popularity_newness_and_buyers_are_of_what_was_kept() -> None:
    events = both(4, *((user, "b", 9, BACK) for user in people(3)), ("u03", "c", 9, BUY), ("u03", "c", 9, BACK))
    assert events.purchase_counts().tolist() == [4, 1, 0, 0, 0, 0]
    assert recent_buyers(events, 100).tolist() == [4, 1, 0, 0, 0, 0]
    decayed = decayed_popularity(events, 1e9)
    np.testing.assert_allclose(decayed, [1, np.log1p(1) / np.log1p(4), 0, 0, 0, 0], rtol=1e-5)
    assert newness(events, 1.0)[2] == 1


def test_neighbours_are_not_learned_from_what_was_sent_back() -> None:
    config = TrainConfig()
    # In two returns of other sizes than the purchases, which confidence alone would not cancel.
    back = [("u", "b", 5, BUY, 1.0), ("u", "b", 6, BUY, 1.0), ("u", "b", 7, BACK, 2.0)]
    events = shop(("u", "a", 4, BUY), *back, ("u", "c", 8, BUY))
    assert [sequence.tolist() for sequence in event_sequences(events, config)] == [[0, 2]]
    together = bought_together(event_sequences(events, config), len(ITEMS), CovisitationConfig()).toarray()
    assert np.argwhere(together).tolist() == [[0, 2], [2, 0]]
    assert shop(("u", "a", 4, BUY), *back[:2], ("u", "b", 7, BACK, 1.0)).history(0).purchases.tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_item_of_which_some_pieces_were_kept_stays_in_the_sequence() -> None:
    returns = [("u", "b", 6, BACK, 5.0), ("u", "b", 7, BACK, 2.0)]
    events = shop(("u", "b", 5, BUY, 10.0), *returns, ("u", "c", 8, BUY))
    assert [sequence.tolist() for sequence in event_sequences(events, TrainConfig())] == [[1, 2]]


def test_return_is_no_repeat_and_no_interval() -> None:
    twice = [(user, "a", day, BUY) for user in people(30) for day in (0, 20)]
    others = [(user, "b", day, BUY) for user in people(30) for day in (1, 41)]
    categories = np.full(len(ITEMS), -1, np.int32)
    bought_again = item_repeats(shop(*twice, *others), categories, TrainConfig())
    # Exchanged for another one: bought, sent back, bought.
    exchanged = item_repeats(
        shop(*twice, *others, *((user, "a", 5, BACK) for user in people(30))), categories, TrainConfig()
    )
    assert exchanged.rates[0] < 0.5 * bought_again.rates[0]
    assert exchanged.intervals[0] > 1.2 * bought_again.intervals[0]


def test_targets_are_what_was_kept_and_a_return_is_no_repeat() -> None:
    first = [("u", "a", 1, BUY), ("u", "b", 2, BUY), ("v", "c", 3, BUY)]
    events = shop(
        *first, ("u", "c", 50, BUY), ("u", "d", 95, BUY), ("u", "e", 96, BUY), ("u", "e", 99, BACK),
        ("v", "d", 97, BUY), ("v", "d", 98, BACK), ("v", "d", 99, SEE), ("u", "a", 99, BACK),
    )  # fmt: skip
    split = time_split(events, 30, 256)
    assert [rows.tolist() for rows in split.test.targets] == [[3]]
    # What is sent back after the split is still bought before it.
    assert split.test.histories[0].purchases.all()
    once = [("u", "f", 10, BUY), ("u", "f", 11, BACK), ("u", "f", 12, BUY)]
    assert time_split(shop(*first, *once, ("u", "c", 65, BUY), ("u", "d", 95, BUY)), 30, 256).test.exclude_history


def test_last_purchase_is_the_last_that_was_kept() -> None:
    events = shop(*(("u", item, day, BUY) for day, item in enumerate("abcd")), ("u", "d", 5, BACK))
    split = leave_one_out(events, 256)
    assert [rows.tolist() for rows in (*split.validation.targets, *split.test.targets)] == [[1], [2]]


def test_item_sent_back_is_left_out_where_bought_items_are() -> None:
    events = shop(*(("u", item, day, BUY) for day, item in enumerate("abcd")), ("u", "a", 0.5, BACK))
    assert leave_one_out(events, 256).test.excluded(0).tolist() == [0, 1, 2]


@pytest.mark.parametrize("baseline", [personal_frequency, item_knn, tifu_knn])
def test_baselines_score_a_user_who_sent_an_item_back_as_one_who_never_bought_it(baseline) -> None:
    learned = both(6, *((user, item, 3, BUY) for user in ("v", "w") for item in "cd"))
    user = (("u", "c", 4, BUY),)
    sent_back = (("u", "a", 1, BUY), ("u", "a", 2, BUY), ("u", "a", 3, BACK, 2.0))
    features = np.eye(len(ITEMS), dtype=np.float32)
    catalogue = Catalogue([Item(item, item) for item in ITEMS])
    scores = []
    for acts in (user, sent_back + user):
        holdout = time_split(shop(*acts, ("u", "b", 40, BUY), ("u", "b", 80, BUY)), 30, 256).validation
        scorer = baseline(Task(learned, catalogue, features, holdout, TrainConfig(factors=4)))
        scores.append(scorer(holdout))
    np.testing.assert_array_equal(*scores)


def test_truth_counts_what_was_kept() -> None:
    events = table(
        *(("u", "a", day, BUY) for day in (1, 2, 3)), ("v", "a", 1, BUY), ("v", "a", 4, BACK), ("u", "a", 4, BACK)
    )
    purchases = Purchases.of(events, (30,))
    assert purchases.buyers == {30: {"a": {"u"}}}
    days = [START + timedelta(days=day) for day in (1, 2)]
    assert purchases.times == {"u": {"a": [int(day.timestamp() * 1e6) for day in days]}}


def test_search_led_to_a_purchase_only_if_it_was_kept() -> None:
    columns = ("query", "item_id", "user_id", "timestamp")
    searches = pl.DataFrame([("seat", "a", user, START) for user in people(12)], schema=columns, orient="row")
    kept = [(user, "a", 1, BUY) for user in people(12)]
    catalogue = Catalogue([Item("a", "Seat")])
    for sent_back, expected in ((0, [12]), (1, [11]), (4, [])):
        events = table(*kept, *((user, "a", 2, BACK) for user in people(sent_back)))
        facts = bought_searches(searches, events, catalogue).get("a", [])
        assert [fact.count for fact in facts] == expected
        assert SearchRecord.of((), searches, events).buyers("a", "seat", 7) == 12 - sent_back


def test_outcome_of_a_search_is_what_was_kept(tmp_path: Path) -> None:
    log = SearchLog()
    for user in ("ann", "bob"):
        search = log.search(user, "tea")
        log.open(search, EventType.PURCHASE)
    log.open(search, EventType.RETURN, hours=1)
    found = read_exported_searches(log.write(tmp_path), 24)
    assert found["opened"].to_list() == [["i0"], ["i0"]]
    assert found["bought"].to_list() == [["i0"], []]


def test_list_earns_nothing_by_a_purchase_that_was_sent_back(tmp_path: Path) -> None:
    log = SearchLog()
    lists = [log.search(user, "", shown=("i0", "i1")) for user in ("ann", "bob")]
    for served in lists:
        log.open(served, EventType.PURCHASE)
    log.open(lists[1], EventType.RETURN, hours=400)
    log.write(tmp_path)
    randomised = [replace(served, candidates=("i0", "i1")) for served in lists]
    LISTS.add(tmp_path / LISTS_FOLDER / "partition-00", list_rows(randomised), "0-1")
    read = {reward: read_logged_lists(tmp_path, "", reward, 24).rewards for reward in ("purchase", "view")}
    assert [rewards.tolist() for rewards in read["purchase"]] == [[1, 0], [0, 0]]
    assert [rewards.tolist() for rewards in read["view"]] == [[0, 0], [0, 0]]
