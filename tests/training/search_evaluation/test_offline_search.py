"""The searches that are measured: the product's is the one that serves, the encoder's is a plain cosine."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.errors import SettingsError
from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from recsvc.v1 import recommendation_pb2 as pb
from tests.integration.clients import Storefront, item_ids
from tests.service_process import ServiceProcess
from training import evaluate_search
from training.search_evaluation.offline_search import OfflineSearch, offline_search
from training.search_evaluation.queries import SearchQuery

TEXTS = ("footwear for climbing hills", "Dry Bag", "brightwater saucepan red", "小锅", "")
QUERIES = [SearchQuery(text, np.array([0], np.int32), "phrase") for text in TEXTS]


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    return bundle_files.load(small_bundle)


@pytest.fixture(scope="module")
def search(bundle: Bundle) -> Iterator[OfflineSearch]:
    with offline_search(bundle) as opened:
        yield opened


def test_measured_search_lists_what_the_service_lists(
    bundle: Bundle, search: OfflineSearch, start_service: Callable[..., ServiceProcess]
):
    with start_service().channel() as channel:
        shop = Storefront(channel)
        served = [
            item_ids(shop.recommend("nobody", 10, surface="SURFACE_SEARCH", context=pb.Context(query=text)))
            for text in TEXTS[:-1]  # without a query there is no search
        ]
    measured = search.results("product", QUERIES[:-1])
    assert [[bundle.catalogue.items[row].item_id for row in rows[:10]] for rows in measured] == served


def test_encoder_finds_the_item_whose_text_is_the_query(bundle: Bundle, search: OfflineSearch):
    rows = (3, 77, 250)
    items = [bundle.catalogue.items[row] for row in rows]
    texts = [". ".join((item.title, item.brand, " > ".join(item.categories))) for item in items]
    found = search.results("encoder", [SearchQuery(text, np.array([0], np.int32), "phrase") for text in texts])
    assert [int(results[0]) for results in found] == list(rows)


def test_words_find_only_items_that_have_one(bundle: Bundle, search: OfflineSearch):
    unknown, known = search.results("words", [replace(QUERIES[0], text=text) for text in ("zzyzx", "dry bag")])
    assert not len(unknown)
    assert all("Dry Bag" in bundle.catalogue.items[row].title for row in known[:10])


def test_bundle_of_other_weights_is_refused(bundle: Bundle):
    other = replace(bundle, model=replace(bundle.model, text_encoder_fingerprint="0" * 64))
    with pytest.raises(SettingsError, match="other weights"), offline_search(other):
        pass


def test_command_measures_each_set_and_writes_every_query(
    small_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    queries, figures = tmp_path / "mine.toml", tmp_path / "figures.json"
    queries.write_text(
        """
        dev = [{ kind = "short", text = "pan", relevant = ["Kitchen"] }]
        test = [
          { kind = "short", text = "camping stove", relevant = ["Outdoor > Camping > Camping Stove"] },
          { kind = "long", text = "somewhere to sleep on a wet hill", relevant = ["Outdoor > Camping"] },
        ]
        """
    )
    arguments = ["--bundle", str(small_bundle), "--queries", str(queries), "--items", "8", "--json", str(figures)]
    assert evaluate_search.main([*arguments, "--by", "encoder", "words", "--show", "1"]) == 0
    result = json.loads(figures.read_text())
    assert {name: len(measured["queries"]) for name, measured in result["sets"].items()} == {
        "other words (test)": 2,
        "known items": 8,
    }
    stove, hill = result["sets"]["other words (test)"]["queries"]
    assert stove["shared_words"] == ["camping", "stove"]
    assert stove["words"]["mrr"] == 1.0
    assert "Camping Stove" in stove["titles"][0]
    assert hill["relevant"] > stove["relevant"]
    assert result["milliseconds"] is None  # the product was not measured
    printed = capsys.readouterr().out
    assert "worst for encoder" in printed
    assert "product" not in printed


def test_command_refuses_queries_that_no_item_answers(
    small_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    queries = tmp_path / "mine.toml"
    queries.write_text('test = [{ kind = "short", text = "rocket", relevant = ["Space > Rockets"] }]')
    assert evaluate_search.main(["--bundle", str(small_bundle), "--queries", str(queries)]) == 1
    assert "no item answers rocket: none is in Space > Rockets" in capsys.readouterr().err
