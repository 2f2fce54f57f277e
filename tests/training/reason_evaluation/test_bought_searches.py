"""Searches after which people bought an item, and whether keywords help to find items, on a shop worked out by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.model import bundle_files as bundles
from recsvc.model import text_encoders
from recsvc.model.catalogue import Catalogue
from training.errors import DataError
from training.reason_evaluation.bought_searches import MAX_DAYS, bought_searches, read_searches
from training.reason_evaluation.copy_rubric import SearchRecord
from training.reason_evaluation.findability import HeldOutSearch, findability, split_searches

START = datetime(2026, 1, 1, tzinfo=UTC)
BENCH = Item("bench", "Lidded Storage Bench", "Potterhill", ("Home", "Benches"))
BOOTS = Item("boots", "Hill Boots", "Trail Mark", ("Shoes",))
CATALOGUE = Catalogue((BENCH, BOOTS))
LINES = ["query,item_id,user_id,timestamp", "Hallway  Seat,bench,ann,2026-01-01T00:00:00Z"]


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def log(*rows: tuple[str, str, str, float]) -> pl.DataFrame:
    columns = ("query", "item_id", "user_id", "timestamp")
    return pl.DataFrame([(*row[:3], at(row[3])) for row in rows], schema=columns, orient="row")


def purchases(*rows: tuple[str, str, float], kind: str = "purchase") -> pl.DataFrame:
    columns = ("user_id", "item_id", "event_type", "timestamp")
    return pl.DataFrame([(*row[:2], kind, at(row[2])) for row in rows], schema=columns, orient="row")


def people(n: int) -> list[str]:
    return [f"u{i}" for i in range(n)]


def led(query: str, item: str, n: int, day: float = 1.0) -> tuple[pl.DataFrame, pl.DataFrame]:
    return log(*((query, item, user, 0) for user in people(n))), purchases(*((user, item, day) for user in people(n)))


def test_search_of_enough_different_buyers_is_a_fact_with_their_number():
    searches, events = led("hallway seat", "bench", 12)
    (fact,) = bought_searches(searches, events, CATALOGUE)["bench"]
    assert (fact.kind, fact.strength) == (EvidenceKind.QUERY, Strength.NEUTRAL)
    assert (fact.value, fact.count, fact.days) == ("hallway seat", 12, MAX_DAYS)
    assert SearchRecord.of((), searches, events).buyers("bench", "hallway seat", MAX_DAYS) == 12


@pytest.mark.parametrize(
    "changed",
    [
        led("hallway seat", "bench", 9),
        led("hallway seat", "bench", 12, day=MAX_DAYS + 0.01),  # too late
        led("hallway seat", "bench", 12, day=-0.01),  # before the search
        led("hallway seat", "unknown", 12),
        (led("hallway seat", "bench", 12)[0], led("", "boots", 12)[1]),  # bought another item
        (led("hallway seat", "bench", 12)[0], purchases(*((u, "bench", 1) for u in people(12)), kind="view")),
        (log(*(("hallway seat", "bench", "ann", d) for d in range(12))), purchases(("ann", "bench", 12))),  # one person
    ],
)
def test_search_that_led_fewer_people_to_a_purchase_is_no_fact(changed: tuple[pl.DataFrame, pl.DataFrame]):
    assert bought_searches(*changed, CATALOGUE) == {}
    assert SearchRecord.of((), *changed).buyers("bench", "hallway seat", MAX_DAYS) < 10


def test_most_frequent_search_comes_first():
    (few, bought), (many, _) = led("hallway seat", "bench", 10), led("shoe bench", "bench", 11)
    events = pl.concat([bought, purchases(("u10", "bench", 1))])
    facts = bought_searches(pl.concat([few, many]), events, CATALOGUE)["bench"]
    assert [(fact.value, fact.count) for fact in facts] == [("shoe bench", 11), ("hallway seat", 10)]


@pytest.mark.parametrize(
    ("query", "kept"), [("trail mark seat", False), ("trail seat", True), ("potterhill seat", True)]
)
def test_search_for_the_brand_of_another_item_is_left_out(query: str, kept: bool):
    assert ("bench" in bought_searches(*led(query, "bench", 12), CATALOGUE)) is kept


def test_log_is_read_in_lower_case_with_single_spaces(tmp_path: Path):
    assert read_searches(tmp_path) is None
    (tmp_path / "searches.csv").write_text("\n".join(LINES))
    searches = read_searches(tmp_path)
    assert searches is not None
    assert searches.rows() == [("hallway seat", "bench", "ann", START)]


def test_log_without_people_and_times_gives_no_searches_and_a_bad_one_is_an_error(tmp_path: Path):
    file = tmp_path / "searches.csv"
    file.write_text("query,item_id\nhallway seat,bench\n")
    assert read_searches(tmp_path) is None
    file.write_text("\n".join([*LINES, " ,bench,bob,yesterday"]))
    with pytest.raises(DataError) as refused:
        read_searches(tmp_path)
    assert {problem.column for problem in refused.value.problems} == {"query", "timestamp"}


def test_held_out_searches_are_no_other_searches():
    searches = log(*((f"search {i % 50}", f"item {i % 7}", "ann", 0) for i in range(500)))
    kept, held_out = split_searches(searches, 0)
    texts = {search.query for search in held_out}
    assert 3 <= len(texts) <= 20
    assert texts | set(kept["query"]) == set(searches["query"])
    assert not texts & set(kept["query"])
    assert held_out[0].item_ids == set(searches.filter(pl.col("query") == held_out[0].query)["item_id"])
    assert split_searches(searches, 1)[1] != held_out


def test_keywords_with_the_words_of_a_search_raise_the_rank_of_its_item(small_bundle: Path):
    bundle = bundles.load(small_bundle)
    encoder = text_encoders.load(bundle.model.text_encoder)
    ids = [item.item_id for item in bundle.catalogue.items[::80]]
    searches = [HeldOutSearch(f"zyxom{i} quibblet{i}", frozenset({item_id})) for i, item_id in enumerate(ids)]
    keywords = {item_id: f"quibblet{i}, zyxom{i}" for i, item_id in enumerate(ids)}
    measured = findability(bundle, encoder, keywords, [*searches, HeldOutSearch("x", frozenset({"unknown"}))], ())
    assert measured["searches"] == len(ids)
    assert measured["after"] == {"mrr": 1.0, "top_10": 1.0}
    assert measured["before"]["mrr"] < 0.5
    unchanged = findability(bundle, encoder, {}, searches, ())
    assert unchanged["before"] == unchanged["after"] == measured["before"]
    assert findability(bundle, encoder, {}, [], ()) == {"searches": 0, "before": None, "after": None}
