"""The report has every number, fetches nothing, and escapes the texts of the shop."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from recsvc.model.bundle_files import load, read_manifest
from training.evaluation.html_page import DASH, number
from training.evaluation.list_quality import list_quality
from training.evaluation.report import write_report

HOSTILE = "<script>alert('note')</script> & more"


@pytest.fixture(scope="module")
def page(trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a real evaluation, with a hostile note and a missing value added."""
    manifest = read_manifest(trained_bundle)
    evaluation = json.loads((trained_bundle / "evaluation.json").read_text())
    manifest["data"]["notes"].append(HOSTILE)
    evaluation["models"]["popularity"]["metrics"]["mrr@20"] = {"mean": None, "low": None, "high": None}
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(manifest, evaluation, path)
    return path.read_text(encoding="utf-8")


def test_every_model_and_mean_is_in_it(trained_bundle: Path, page: str) -> None:
    evaluation = json.loads((trained_bundle / "evaluation.json").read_text())
    for name, model in evaluation["models"].items():
        assert name in page
        for metric, value in model["metrics"].items():
            if (name, metric) != ("popularity", "mrr@20"):
                assert number(value["mean"]) in page
    assert read_manifest(trained_bundle)["bundle_id"] in page
    assert DASH in page


def test_text_of_the_shop_is_escaped(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_nothing_is_fetched(page: str) -> None:
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert "http://" not in without_names
    assert "https://" not in without_names
    assert not re.search(r"<(link|iframe|img)\b|@import|src=", without_names)


def test_html_tags_are_balanced(page: str) -> None:
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "br", "hr", "col", "use"}:
                open_tags.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            if tag in open_tags:
                assert open_tags.pop() == tag

    Balance().feed(page)
    assert not open_tags
    assert len(page) < 400_000


def test_metric_that_is_zero_for_every_model_has_no_best(trained_bundle: Path, tmp_path: Path) -> None:
    evaluation = json.loads((trained_bundle / "evaluation.json").read_text())
    for model in evaluation["models"].values():
        model["metrics"]["recall@10"] = {"mean": 0.0, "low": 0.0, "high": 0.0}
    write_report(read_manifest(trained_bundle), evaluation, tmp_path / "report.html")
    assert number(0.0) in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_lists_without_items_have_no_popularity(small_bundle: Path) -> None:
    quality = list_quality(load(small_bundle), [np.empty(0, np.int32)] * 2)
    assert (quality["coverage@10"], quality["popularity_percentile@10"]) == (0.0, None)
