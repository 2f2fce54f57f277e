"""Copy for a catalogue: a table with a row for each item, and a rubric that finds false copy."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from recsvc.domain.reason import ContentPart, Evidence, EvidenceKind, Strength
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.pipeline.item_copy import SearchWords
from recsvc.reasons import Realiser, recipes
from tests.chat_endpoint import ChatEndpoint
from training.data.shop import read_shop
from training.evaluation.command import CHECKS_FAILED
from training.reason_evaluation import copy_rubric
from training.reason_evaluation.copy_rubric import Written, judge
from training.reason_evaluation.gates import failed_copy_checks
from training.reason_evaluation.training_events import learned_events
from training.write_content import main, table_truth, write


@pytest.fixture(scope="module")
def bundle(trained_bundle: Path) -> Bundle:
    return bundles.load(trained_bundle)


def ids_of(bundle: Bundle, n: int) -> list[str]:
    return [item.item_id for item in bundle.catalogue.items[:n]]


@pytest.mark.parametrize("name", ["copy.csv", "copy.parquet"])
def test_table_has_a_row_by_item_and_language(trained_bundle: Path, bundle: Bundle, tmp_path: Path, capsys, name: str):
    ids, out = tmp_path / "ids.txt", tmp_path / name
    ids.write_text("\n".join(ids_of(bundle, 25)))
    command = ["--bundle", str(trained_bundle), "--recipe", "description.v1", "--language", "en", "zh"]
    assert main([*command, "--items", str(ids), "--out", str(out)]) == 0
    rows = pl.read_csv(out) if name.endswith("csv") else pl.read_parquet(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["ids.txt", name])
    columns = ["item_id", "recipe", "language", "text", "facts", "human_review_required", "provenance"]
    assert rows.columns == columns
    assert rows["human_review_required"].all()
    for language in ("en", "zh"):
        written = rows.filter(pl.col("language") == language)
        assert written["item_id"].to_list() == [i for i in ids_of(bundle, 25) if i in set(written["item_id"])]
        assert written.height >= 20
    assert f"en  {rows.filter(pl.col('language') == 'en').height} of 25 items" in capsys.readouterr().out
    facts, provenance = json.loads(rows["facts"][0]), json.loads(rows["provenance"][0])
    assert {fact["kind"] for fact in facts} <= {kind.value for kind in EvidenceKind}
    assert {"kind": "name", "value": bundle.catalogue.items[0].title} in facts
    assert (provenance["recipe"], provenance["verified"]) == ("description.v1", True)


def test_language_model_writes_more_patterns_of_which_only_licensed_ones_are_used(
    trained_bundle: Path, small_shop_folder: Path, tmp_path: Path, capsys, endpoint: ChatEndpoint, monkeypatch
):
    # All but two patterns of each claim are left to the model.
    resolve = Realiser._resolve  # noqa: SLF001
    monkeypatch.setattr(Realiser, "_resolve", lambda self, request: resolve(self, request)[:2])

    def answer(handler):
        request = endpoint.asked[-1]
        endpoint.say(*[*request["guided_choice"][:3], "The best there is."][: request["n"]])
        send, endpoint.answer = endpoint.answer, answer
        send(handler)

    endpoint.answer = answer
    command = [
        "--bundle",
        str(trained_bundle),
        "--recipe",
        "description.v1",
        "--rubric",
        "--data",
        str(small_shop_folder),
    ]
    command += ["--out", str(tmp_path / "copy.csv"), "--json", str(tmp_path / "copy.json")]
    model = ["--generator", "openai", "--reason-model", "m", "--reason-endpoint", endpoint.url, "--reason-batch", "3"]
    assert main([*command, *model]) == 0
    result = json.loads((tmp_path / "copy.json").read_text())
    written = result["model"]["en"]
    assert written["new"] > 5
    assert written["copies"] == 0
    assert result["rubric"]["en"]["unsupported"] == 0
    assert f"en  m wrote {written['new']} new patterns" in capsys.readouterr().out
    rows = pl.read_csv(tmp_path / "copy.csv")
    by_model = rows.filter(pl.col("provenance").str.contains('"generator": "openai"'))
    assert by_model.height > 20
    assert not rows.filter(pl.col("text").str.contains("The best there is")).height


def test_rubric_of_a_shop_finds_nothing_wrong(trained_bundle: Path, small_shop_folder: Path, tmp_path: Path, capsys):
    command = ["--bundle", str(trained_bundle), "--data", str(small_shop_folder), "--recipe", "campaign.v1", "--rubric"]
    figures = tmp_path / "rubric.json"
    assert main([*command, "--out", str(tmp_path / "copy.csv"), "--json", str(figures)]) == 0
    printed = capsys.readouterr().out
    result = json.loads(figures.read_text())
    assert json.loads(next(line for line in printed.splitlines() if line.startswith("{"))) == result
    assert "supported" in printed
    judged = result["rubric"]["en"]
    assert judged["texts"] > 350
    assert (judged["supported"], judged["unsupported"], judged["lints"]) == (1.0, 0, {})
    assert sum(sort["tried"] for sort in judged["mutations"].values()) > 5_000
    assert sum(sort["passed"] for sort in judged["mutations"].values()) == 0
    assert judged["opening_share"] < 0.25
    assert judged["duplicates"] == 0


def test_keywords_use_the_search_log_and_the_synonyms_and_are_measured(
    trained_bundle: Path, bundle: Bundle, small_shop_folder: Path, tmp_path: Path, capsys
):
    data, synonyms, figures = tmp_path / "shop", tmp_path / "synonyms.txt", tmp_path / "figures.json"
    shutil.copytree(small_shop_folder, data)
    learned = learned_events(read_shop(data).events, bundle).filter(pl.col("event_type") == "purchase")
    popular = learned.group_by("item_id").agg(pl.col("user_id").n_unique()).sort("user_id", "item_id")["item_id"][-3:]
    rows = learned.filter(pl.col("item_id").is_in(popular)).unique(["user_id", "item_id"])
    texts = [f"{word} thing" for word in ("zyxom", "quibblet", "frindle", "wozzle", "plonker", "grommle", "snazzy")]
    before = pl.col("timestamp") - pl.duration(days=1)
    log = [rows.select("item_id", "user_id", before, query=pl.lit(text)) for text in texts]
    pl.concat(log).write_parquet(data / "searches.parquet")
    item = next(item for item in bundle.catalogue.items if item.item_id == popular[-1])
    synonyms.write_text(f"{item.categories[-1]}, wibbly wares\n")

    command = ["--bundle", str(trained_bundle), "--data", str(data), "--recipe", "keywords.v1", "--rubric"]
    out = tmp_path / "keywords.csv"
    assert main([*command, "--synonyms", str(synonyms), "--out", str(out), "--json", str(figures)]) == 0
    text = dict(pl.read_csv(out).select("item_id", "text").iter_rows())[item.item_id]
    assert {"zyxom thing", "wibbly wares"} <= set(text.split(", "))
    result = json.loads(figures.read_text())
    judged, found = result["rubric"]["en"], result["findability"]
    assert (judged["supported"], judged["unsupported"]) == (1.0, 0)
    assert sum(sort["passed"] for sort in judged["mutations"].values()) == 0
    assert found["searches"] >= 1
    assert found["after"]["mrr"] >= found["before"]["mrr"]
    assert "held-out searches" in capsys.readouterr().out

    # The tables contradict a search that they do not have, and one of fewer people.
    recipe, truth = recipes()["keywords.v1"], table_truth(data, bundle)
    one = next(iter(write(bundle, recipe, "en", [item.item_id], search_words=SearchWords((("x", "y"),), {}))))
    assert one is not None
    fact = Evidence(EvidenceKind.QUERY, Strength.NEUTRAL, value="zyxom thing", count=12, days=7)
    false = replace(one.draft, text="zyxom thing", parts=(ContentPart("zyxom thing", (fact,)),))
    assert "query does not hold" in truth.problems(Written(item.item_id, false), recipe)[0]


def test_false_draft_is_found_and_fails_the_check(bundle: Bundle, small_shop_folder: Path):
    recipe, truth = recipes()["description.v1"], table_truth(small_shop_folder, bundle)
    written = [draft for draft in write(bundle, recipe, "en", ids_of(bundle, 40)) if draft is not None]
    assert not [problem for one in written for problem in truth.problems(one, recipe)]
    for one in written[:10]:
        draft, (first, *rest) = one.draft, one.draft.parts
        # The right text for the wrong item.
        wrong_item = next(
            o for o in written if o.draft.parts[0].evidence != first.evidence and o.item_id != one.item_id
        )
        # A false fact, well worded.
        value = replace(first.evidence[0], value="Grove & Daughters")
        for false in (
            replace(one, item_id=wrong_item.item_id),
            Written(one.item_id, replace(draft, parts=(ContentPart(first.text, (value,)), *rest))),
            Written(one.item_id, replace(draft, parts=(replace(first, text=first.text[:-1] + ", the best."), *rest))),
            Written(one.item_id, replace(draft, text=draft.text + " Buy now.")),
        ):
            assert truth.problems(false, recipe), false
            figures = judge([false], recipe, "en", truth, 0)
            assert figures["unsupported"]
            assert failed_copy_checks({"en": figures})


def test_number_of_buyers_is_checked_against_the_tables(bundle: Bundle, small_shop_folder: Path):
    recipe, truth = recipes()["selling_points.v1"], table_truth(small_shop_folder, bundle)
    checked = 0
    for one in filter(None, write(bundle, recipe, "en", ids_of(bundle, len(bundle.catalogue)))):
        *others, last = one.draft.parts
        if last.evidence[0].kind is EvidenceKind.POPULARITY:
            checked += 1
            fact = last.evidence[0]
            more = replace(fact, count=fact.count + 1)
            text = last.text.replace(str(fact.count), str(more.count), 1)
            parts = (*others, ContentPart(text, (more,)))
            joined = "\n".join(part.text for part in parts)
            false = Written(one.item_id, replace(one.draft, text=joined, parts=parts))
            assert truth.problems(one, recipe) == []
            assert [problem for problem in truth.problems(false, recipe) if "popularity does not hold" in problem]
    assert checked >= 5


def test_verifier_that_misses_a_false_sentence_fails_the_check(
    trained_bundle: Path, small_shop_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    blind = {"number": {"tried": 100, "passed": 1}}
    monkeypatch.setattr(copy_rubric, "caught", lambda *_: blind)
    command = ["--bundle", str(trained_bundle), "--data", str(small_shop_folder), "--recipe", "title.v1", "--rubric"]
    assert main([*command, "--out", str(tmp_path / "copy.csv")]) == CHECKS_FAILED
    assert "do not use: en: 1 of 100 false sentences passed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--recipe", "poem.v1"], "there are: campaign.v1"),
        (["--out", "copy.txt"], "--out: must end with .csv or .parquet"),
        (["--rubric"], "--rubric: needs --data"),
        (["--generator", "poet"], "--generator: no 'poet'; there are: realiser, transformers, openai"),
        (["--generator", "openai"], "reason_model: names the language model"),
        (["--generator", "openai", "--reason-model", "m", "--reason-timeout", "0"], "reason_timeout"),
        (["--items", "no-such-file"], "--items: no-such-file cannot be read"),
        (["--audience", "brand=Nobody", "--recipe", "campaign.v1"], "audience: the catalogue has no such brand"),
    ],
)
def test_wrong_option_is_one_line_of_error(
    trained_bundle: Path, tmp_path: Path, capsys, changed: list[str], message: str
):
    command = ["--bundle", str(trained_bundle), "--recipe", "title.v1", "--out", str(tmp_path / "copy.csv")]
    assert main([*command, *changed]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_item_is_named(trained_bundle: Path, tmp_path: Path, capsys):
    ids = tmp_path / "ids.txt"
    ids.write_text("i00001 i99999")
    out = str(tmp_path / "copy.csv")
    assert main(["--bundle", str(trained_bundle), "--recipe", "title.v1", "--out", out, "--items", str(ids)]) == 1
    assert "['i99999']" in capsys.readouterr().err
