"""The evaluation of a language model that writes reasons: what it counts, and what it refuses."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.reasons import PatternRequest, Realiser, claim_key_of
from recsvc.reasons.authors import chat_completions
from recsvc.reasons.authors.prompts import marked
from recsvc.reasons.grammar.pattern import Form, Number
from tests.chat_endpoint import ChatEndpoint
from tests.recsvc.reasons import tiny_language_model
from training import evaluate_reasons
from training.evaluation.command import CHECKS_FAILED
from training.reason_evaluation import authors as reason_authors
from training.reason_evaluation.fluency import MAX_PERPLEXITY_RATIO
from training.reason_evaluation.gates import failed_model_checks
from training.reason_evaluation.judge import QUESTIONS

NOBODY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def evaluate(trained_bundle: Path, small_shop_folder: Path, tmp_path: Path) -> Callable[..., tuple[int, dict, str]]:
    def run(*arguments: str, users: int = 8) -> tuple[int, dict, str]:
        command = ["--bundle", str(trained_bundle), "--data", str(small_shop_folder), "--languages", "en"]
        command += ["--users", str(users), "--out", str(tmp_path / "r.html"), "--json", str(tmp_path / "r.json")]
        code = evaluate_reasons.main([*command, *arguments])
        if not (tmp_path / "r.json").exists():
            return code, {}, ""
        return code, json.loads((tmp_path / "r.json").read_text()), (tmp_path / "r.html").read_text()

    return run


def wordy(endpoint: ChatEndpoint, useful: int, *, slow_claim: str = "no claim at all") -> None:
    """Makes the endpoint answer: of 12 sentences, `useful` are licensed and new, and the others copy the phrase bank.

    It knows the choices of vLLM, says yes to every question of a judge, and fails for a claim with some text.
    """

    def answer(handler) -> None:
        request = endpoint.asked[-1]
        prompt = request["messages"][-1]["content"]
        if slow_claim in prompt:
            endpoint.send(b"{}", status=503)
        elif any(question in prompt for question in QUESTIONS.values()):
            endpoint.say("yes")
        else:
            copy = prompt.split("Sentences like:\n")[1].split("\n")[0]
            endpoint.say(*(request["guided_choice"][:useful] + [copy] * 12)[: request["n"]])
        send, endpoint.answer = endpoint.answer, answer
        send(handler)

    endpoint.answer = answer


def test_model_whose_new_sentences_are_natural_passes(endpoint, evaluate, capsys):
    wordy(endpoint, useful=9)
    model = ("--generator", "openai", "--reason-model", "owner/Wordy", "--reason-endpoint", endpoint.url)
    judge = ("--judge-endpoint", endpoint.url, "--judge-model", "wordy", "--judged", "10")
    code, result, page = evaluate(*model, *judge, "--reason-batch", "12", "--reason-timeout", "60")
    figures = result["languages"]["en"]
    written = figures["model"]
    assert written["acceptance"] == 0.75
    assert written["asked"] == written["answered"] == written["licensed"] == 12 * written["claims"]
    assert written["copies"] == 3 * written["claims"]
    assert written["new"] == written["useful"] == 9 * written["claims"] > 40
    assert written["unanswered"] == 0
    natural = written["natural"]
    assert natural["new"] == natural["clean"] == written["new"]
    assert 0 < natural["natural"] == natural["fluent"] < natural["new"]
    assert natural["perplexity"] > natural["bank_perplexity"]
    # The endpoint takes the first sentences of each list: whether these are fluent enough is for the measure to say.
    too_odd = natural["perplexity"] > MAX_PERPLEXITY_RATIO * natural["bank_perplexity"]
    assert [gate for gate in result["gates"] if "perplexity" not in gate] == []
    assert code == (CHECKS_FAILED if too_odd else 0)
    assert all(row["acceptance"] == 0.75 for row in written["by_claim"].values())
    assert sum(row["asked"] for row in written["by_kind"].values()) == written["asked"]
    assert written["seconds_an_answer"] > 0
    assert 0.02 < written["shown"] < 0.98
    assert figures["unsupported"] == 0
    assert {row["mean"] for row in figures["judge"]["questions"].values()} == {1.0}
    writers = figures["judge"]["by_writer"]
    assert sum(rows["fluent"]["answered"] for rows in writers.values()) == 10
    assert result["judges_itself"]
    printed = capsys.readouterr()
    assert "judges its own words" in printed.err
    assert f"wrote {written['new']} new sentences" in printed.out
    assert "count as nothing" in page
    assert "Use another judge" in page


def test_copies_of_the_bank_count_as_nothing_and_the_model_sees_no_shop_data(endpoint, evaluate, small_shop, capsys):
    wordy(endpoint, useful=8)
    model = ("--generator", "openai", "--reason-model", "wordy", "--reason-endpoint", endpoint.url)
    code, result, page = evaluate(*model, "--reason-batch", "12")
    assert code == CHECKS_FAILED
    assert result["languages"]["en"]["unsupported"] == 0
    error = capsys.readouterr().err
    assert "do not enable: en: 66.7 % of " in error
    assert "answers are licensed and new, less than 70 %" in error
    assert "copy the phrase bank" in error
    assert "Do not enable" in page
    sent = json.dumps(endpoint.asked, ensure_ascii=False)
    items, user_ids = small_shop.items, small_shop.events["user_id"].unique()
    words = [*items["title"], *items["brand"].drop_nulls(), *user_ids]
    assert len(endpoint.asked) > 5
    assert not [word for word in words if word in sent]


def test_claim_that_never_gets_an_answer_is_reported_and_the_evaluation_goes_on(
    endpoint, evaluate, monkeypatch, capsys
):
    monkeypatch.setattr(reason_authors, "ROUND_SECONDS", 0.0)
    lost = PatternRequest(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en")
    wordy(endpoint, useful=12, slow_claim=marked(Realiser().patterns(lost)[0]))
    model = ("--generator", "openai", "--reason-model", "wordy", "--reason-endpoint", endpoint.url)
    _, result, _ = evaluate(*model, "--reason-batch", "12", users=30)
    written = result["languages"]["en"]["model"]
    # The sentence is the same about one thing and about several, so both claims are lost.
    keys = [claim_key_of(lost), claim_key_of(replace(lost, number=Number.MANY))]
    rows = [written["by_claim"][key] for key in keys]
    assert [(row["asked"], row["answered"], row["new"]) for row in rows] == [(12, 0, 0)] * 2
    assert written["unanswered"] == 24
    assert written["new"] == written["asked"] - 24 > 12
    assert "24 did not come in time" in capsys.readouterr().out


def test_real_model_that_knows_nothing_is_held_to_licensed_sentences(evaluate, tmp_path, monkeypatch):
    monkeypatch.setattr(reason_authors, "CANDIDATES", 2)
    folder = tiny_language_model.make(tmp_path / "babbler")
    _, result, _ = evaluate("--generator", "transformers", "--reason-model", str(folder), users=1)
    figures = result["languages"]["en"]
    assert figures["model"]["acceptance"] == 1
    assert figures["model"]["natural"]["clean"] == figures["model"]["new"] > 0
    assert figures["unsupported"] == 0


def of_model(**figures: float | None) -> dict[str, object]:
    natural: dict[str, float | None] = {"new": 100, "clean": 100, "perplexity": 2.0, "bank_perplexity": 1.6}
    natural |= {name: figures.pop(name) for name in natural.keys() & figures.keys()}
    sums: dict[str, object] = {
        "asked": 120,
        "answered": 120,
        "unanswered": 0,
        "acceptance": 0.9,
        "copies": 12,
        "natural": natural,
    }
    return sums | figures


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ({}, ""),
        ({"asked": 0, "answered": 0, "acceptance": None}, ""),  # the bank has every licensed sentence
        ({"acceptance": 0.69}, "69.0 % of 120 answers are licensed and new, less than 70 %; 12 copy the phrase bank"),
        ({"unanswered": 37, "answered": 83}, "37 of 120 answers of the model did not come in time"),
        ({"clean": 99}, "1 of 100 new sentences break the house style"),
        ({"perplexity": 2.09}, "median perplexity of 2.09, more than 1.3 times that of the phrase bank, 1.60"),
        ({"new": 0, "clean": 0, "perplexity": None, "acceptance": 0.0}, "0.0 % of 120 answers"),
    ],
)
def test_gate_of_a_model(figures, problem):
    (found,) = list(failed_model_checks(of_model(**figures))) or [""]
    assert problem in found
    assert bool(problem) is bool(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--generator", "transformers", "--reason-model", "/no/such/folder"), "reason_model"),
        (("--generator", "transformers"), "reason_model"),
        (("--generator", "openai", "--reason-model", "m"), "reason_endpoint"),
        (
            ("--generator", "openai", "--reason-model", "m", "--reason-endpoint", "http://127.0.0.1:9"),
            "cannot be asked",
        ),
        (("--generator", "poet"), "there are: openai, realiser, transformers"),
        (("--judge-model", "m", "--judge-endpoint", "ftp://host"), "judge_endpoint"),
    ],
)
def test_unusable_model_or_judge_is_one_clear_error(evaluate, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(chat_completions, "RETRY_SECONDS", 0.01)
    code, _, _ = evaluate(*arguments, users=2)
    error = capsys.readouterr().err
    assert code == 1
    assert message in error
    assert "Traceback" not in error
