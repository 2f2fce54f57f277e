"""The searches that tune the weight of taste: after the bundle's last event, with the history before each."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from tests.training.search_evaluation.logged_searches import START, SearchLog
from training import evaluate_search
from training.search_evaluation.search_log import read_search_log
from training.search_evaluation.shopper_searches import shopper_searches


@pytest.fixture
def bundle(small_bundle: Path) -> Bundle:
    """Has learned from everything until ten minutes after the start."""
    learned_until = datetime.fromtimestamp(START / 1e6, UTC) + timedelta(minutes=10)
    provenance = {"created": "", "data": {"learned_until": learned_until.isoformat()}}
    return replace(bundle_files.load(small_bundle), provenance=provenance)


def make_shop(bundle: Bundle, folder: Path) -> Path:
    items = [item.item_id for item in reversed(bundle.catalogue.items)]  # rows of the shop are not those of the bundle
    folder.mkdir()
    pl.DataFrame({"item_id": items, "title": ["Thing"] * len(items)}).write_csv(folder / "items.csv")
    log = SearchLog()
    log.buy("ann", "i00003", 1)
    log.buy("ann", "i00008", 12)
    log.open(log.search("ann", "early", 5, ("i00003",)))  # the bundle may have learned from it
    log.open(log.search("ann", "pan", 20, ("i00005", "i00003")), item_id="i00003")
    log.search("ann", "unopened", 30)
    log.open(log.search("new", "pan", 40, ("i00005",)))  # no history
    log.buy("ann", "i00020", 50)
    return log.write(folder)


def test_search_has_the_history_before_it_and_what_was_opened(bundle: Bundle, tmp_path: Path):
    folder = make_shop(bundle, tmp_path / "shop")
    [query] = shopper_searches(read_search_log(folder), folder, bundle, 10, seed=0)
    catalogue = bundle.catalogue
    assert (query.text, query.relevant.tolist()) == ("pan", catalogue.rows(["i00003"]).tolist())
    assert query.history is not None
    # The purchases, and the view of the early search between them.
    assert query.history.rows.tolist() == catalogue.rows(["i00003", "i00003", "i00008"]).tolist()
    assert shopper_searches(read_search_log(folder), folder, replace(bundle, provenance={"data": {}}), 10, seed=0) == []


def test_command_reports_the_mrr_of_each_weight_and_no_text_of_a_single_person(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = make_shop(bundle, tmp_path / "shop")
    pl.DataFrame(
        {"item_id": [i.item_id for i in bundle.catalogue.items], "title": [i.title for i in bundle.catalogue.items]}
    ).write_csv(folder / "items.csv")
    bundle_files.save(bundle, tmp_path / "bundle")
    arguments = ["--bundle", str(tmp_path / "bundle"), "--data", str(folder), "--items", "1", "--by", "product"]
    figures = tmp_path / "figures.json"
    assert evaluate_search.main([*arguments, "--taste-weights", "0", "50", "--json", str(figures)]) == 0
    assert "mrr by weight of taste, searches of shoppers: 1 queries" in capsys.readouterr().out
    result = json.loads(figures.read_text("utf-8"))
    assert "search log" not in result["sets"]
    by_weight = {weight: value["mean"] for weight, value in result["taste"]["searches of shoppers"]["mrr"].items()}
    assert by_weight.keys() == {"0", "50"}
    assert by_weight["0"] != by_weight["50"]
