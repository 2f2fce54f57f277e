"""Copy for a whole catalogue: a row an item, and a rubric that finds what is false."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from recsvc.domain.reason import ContentPart, EvidenceKind
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.reasons import recipes
from training import write_content
from training.reason_evaluation import copy_rubric as content_rubric
from training.reason_evaluation.copy_rubric import Written, gates, judge
from training.write_content import NOT_TO_BE_USED, main, write


@pytest.fixture(scope="module")
def bundle(trained_bundle: Path) -> Bundle:
    return bundles.load(trained_bundle)


def ids_of(bundle: Bundle, n: int) -> list[str]:
    return [item.item_id for item in bundle.catalogue.items[:n]]


@pytest.mark.parametrize("name", ["copy.csv", "copy.parquet"])
def test_a_row_an_item_and_a_language(trained_bundle: Path, bundle: Bundle, tmp_path: Path, capsys, name: str):
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


def test_the_rubric_of_a_whole_shop(trained_bundle: Path, small_shop_folder: Path, tmp_path: Path, capsys):
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


def test_what_is_false_is_found_and_fails_the_gate(bundle: Bundle, small_shop_folder: Path):
    recipe, truth = recipes()["description.v1"], write_content._truth(small_shop_folder, bundle)
    written = [each for each in write(bundle, recipe, "en", ids_of(bundle, 40)) if each is not None]
    assert not [problem for each in written for problem in truth.problems(each, recipe)]
    for each in written[:10]:
        draft, (first, *rest) = each.draft, each.draft.parts
        # The right words of the wrong item.
        wrong_item = next(
            o for o in written if o.draft.parts[0].evidence != first.evidence and o.item_id != each.item_id
        )
        # A fact that is not so, worded as well as any.
        value = replace(first.evidence[0], value="Grove & Daughters")
        for false in (
            replace(each, item_id=wrong_item.item_id),
            Written(each.item_id, replace(draft, parts=(ContentPart(first.text, (value,)), *rest))),
            Written(each.item_id, replace(draft, parts=(replace(first, text=first.text[:-1] + ", the best."), *rest))),
            Written(each.item_id, replace(draft, text=draft.text + " Buy now.")),
        ):
            assert truth.problems(false, recipe), false
            figures = judge([false], recipe, "en", truth, 0)
            assert figures["unsupported"]
            assert gates({"en": figures})


def test_counts_of_buyers_are_counted_anew(bundle: Bundle, small_shop_folder: Path):
    recipe, truth = recipes()["selling_points.v1"], write_content._truth(small_shop_folder, bundle)
    found = 0
    for each in filter(None, write(bundle, recipe, "en", ids_of(bundle, len(bundle.catalogue)))):
        *others, last = each.draft.parts
        if last.evidence[0].kind is EvidenceKind.POPULARITY:
            found += 1
            fact = last.evidence[0]
            more = replace(fact, count=fact.count + 1)
            text = last.text.replace(str(fact.count), str(more.count), 1)
            parts = (*others, ContentPart(text, (more,)))
            whole = "\n".join(part.text for part in parts)
            false = Written(each.item_id, replace(each.draft, text=whole, parts=parts))
            assert truth.problems(each, recipe) == []
            assert [problem for problem in truth.problems(false, recipe) if "popularity does not hold" in problem]
    assert found >= 5


def test_a_verifier_that_lets_something_pass_fails_the_gate(
    trained_bundle: Path, small_shop_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    blind = {"number": {"tried": 100, "passed": 1}}
    monkeypatch.setattr(content_rubric, "caught", lambda *_: blind)
    command = ["--bundle", str(trained_bundle), "--data", str(small_shop_folder), "--recipe", "title.v1", "--rubric"]
    assert main([*command, "--out", str(tmp_path / "copy.csv")]) == NOT_TO_BE_USED
    assert "not to be used: en: 1 of 100 false sentences passed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (["--recipe", "poem.v1"], "there are: campaign.v1"),
        (["--out", "copy.txt"], "--out: must end with .csv or .parquet"),
        (["--rubric"], "--rubric: needs --data"),
        (["--items", "no-such-file"], "--items: no-such-file cannot be read"),
        (["--audience", "brand=Nobody", "--recipe", "campaign.v1"], "audience: the catalogue has no such brand"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    trained_bundle: Path, tmp_path: Path, capsys, changed: list[str], told: str
):
    command = ["--bundle", str(trained_bundle), "--recipe", "title.v1", "--out", str(tmp_path / "copy.csv")]
    assert main([*command, *changed]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert told in error
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_item_is_named(trained_bundle: Path, tmp_path: Path, capsys):
    ids = tmp_path / "ids.txt"
    ids.write_text("i00001 i99999")
    out = str(tmp_path / "copy.csv")
    assert main(["--bundle", str(trained_bundle), "--recipe", "title.v1", "--out", out, "--items", str(ids)]) == 1
    assert "['i99999']" in capsys.readouterr().err
