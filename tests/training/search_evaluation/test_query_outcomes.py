"""Queries are counted by people, rare ones are withheld and do not lead, and only events of the search count."""

from pathlib import Path

import pytest

from recsvc.domain.shop import EventType
from tests.training.search_evaluation.logged_searches import SearchLog
from training.search_evaluation.exported_searches import read_exported_searches
from training.search_evaluation.query_outcomes import below_average, outcomes, rate


def test_events_too_late_or_of_items_that_were_not_shown_do_not_count(tmp_path: Path):
    log = SearchLog()
    log.open(log.search("u0", "mug", shown=("i0", "i1")), item_id="i1")
    log.open(log.search("u1", "mug"), hours=25)
    log.open(log.search("u2", "mug"), item_id="i7")
    log.open(log.search("u3", "mug"), EventType.IMPRESSION)
    log.open(log.search("u4", "mug"), EventType.PURCHASE)
    searches = read_exported_searches(log.write(tmp_path), 24)
    assert searches["opened"].to_list() == [["i1"], [], [], [], ["i0"]]
    assert searches["bought"].to_list() == [[], [], [], [], ["i0"]]


def test_query_of_too_few_people_is_counted_in_sums_alone_however_often_they_typed_it(tmp_path: Path):
    log = SearchLog()
    for n in range(30):
        log.search(f"u{n % 4}", "my address", n)
    for n in range(5):
        log.open(log.search(f"u{n}", "mug"))
    listed, sums, withheld = outcomes(read_exported_searches(log.write(tmp_path), 24), 5)
    assert [row["query"] for row in listed] == ["mug"]
    assert sums == {"queries": 2, "searches": 35, "people": 5, "typed": 9, "empty": 0, "opened": 5, "bought": 0}
    assert withheld == {"queries": 1, "searches": 30, "people": 4, "typed": 4, "empty": 0, "opened": 0, "bought": 0}


def test_rare_query_is_not_called_rarely_opened_and_the_surest_comes_first(tmp_path: Path):
    log = SearchLog()
    for n in range(100):
        log.open(log.search(f"a{n}", "mug"))
        if n >= 2:
            log.search(f"b{n}", "gift")
        else:
            log.open(log.search(f"b{n}", "gift"))
    for n in range(30):
        log.search(f"c{n}", "vase")
        log.search(f"d{n}", "nothing", shown=())
    log.search("e0", "rare")
    listed, sums, _ = outcomes(read_exported_searches(log.write(tmp_path), 24), 1)
    assert [row["query"] for row in below_average(listed, "opened", "open_rate", sums)] == ["gift", "vase"]
    assert next(row for row in listed if row["query"] == "rare")["open_rate"]["mean"] == 0


def test_interval_is_wilsons():
    assert rate(0, 10) == pytest.approx({"mean": 0, "low": 0, "high": 3.8415 / 13.8415}, abs=1e-4)
    assert rate(5, 10) == pytest.approx({"mean": 0.5, "low": 0.2366, "high": 0.7634}, abs=1e-4)
