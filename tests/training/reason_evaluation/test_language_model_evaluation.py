"""The evaluation of a language model that writes reasons: what it counts, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recsvc.reasons.authors import chat_completions
from tests.chat_endpoint import ChatEndpoint
from tests.recsvc.reasons import tiny_language_model
from training import evaluate_reasons
from training.evaluation.command import CHECKS_FAILED
from training.reason_evaluation import authors as reason_authors
from training.reason_evaluation.judge import QUESTIONS

NOBODY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def evaluate(small_bundle: Path, small_shop_folder: Path, tmp_path: Path) -> Callable[..., tuple[int, dict, str]]:
    def run(*arguments: str, users: int = 8) -> tuple[int, dict, str]:
        command = ["--bundle", str(small_bundle), "--data", str(small_shop_folder), "--languages", "en"]
        command += ["--users", str(users), "--out", str(tmp_path / "r.html"), "--json", str(tmp_path / "r.json")]
        code = evaluate_reasons.main([*command, *arguments])
        if not (tmp_path / "r.json").exists():
            return code, {}, ""
        return code, json.loads((tmp_path / "r.json").read_text()), (tmp_path / "r.html").read_text()

    return run


def wordy(endpoint: ChatEndpoint, good_answers: int) -> None:
    """Makes the endpoint answer: of 12 sentences, `good_answers` can be accepted. It says yes to every question."""

    def answer(handler) -> None:
        request = endpoint.asked[-1]
        prompt = request["messages"][-1]["content"]
        if any(question in prompt for question in QUESTIONS.values()):
            contents = ["yes"]
        else:
            existing = prompt.split("Sentences like:\n")[1].split("\n")[0]
            good = f"Chosen for you, {existing[:1].lower()}{existing[1:]}"
            contents = ([good] * good_answers + ["You will love it, trust me."] * 12)[: request["n"]]
        body = json.dumps({"choices": [{"message": {"content": content}} for content in contents]}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    endpoint.answer = answer


def test_model_with_enough_accepted_answers_passes(endpoint, evaluate, capsys):
    wordy(endpoint, good_answers=9)
    model = ("--generator", "openai", "--reason-model", "owner/Wordy", "--reason-endpoint", endpoint.url)
    judge = ("--judge-endpoint", endpoint.url, "--judge-model", "wordy", "--judged", "10")
    code, result, page = evaluate(*model, *judge)
    assert code == 0, result["gates"]
    figures = result["languages"]["en"]
    written = figures["model"]
    assert written["acceptance"] == 0.75
    assert written["asked"] == 12 * written["claims"]
    assert written["new"] == written["claims"] > 5
    assert all(row["acceptance"] == 0.75 for row in written["by_claim"].values())
    assert sum(row["asked"] for row in written["by_kind"].values()) == written["asked"]
    assert written["seconds_an_answer"] > 0
    assert 0.02 < written["shown"] < 0.9
    assert figures["unsupported"] == 0
    shown = figures["picked"] + [row for rows in figures["samples"].values() for row in rows]
    by_model = [row["text"] for row in shown if row["by_model"]]
    assert by_model
    assert all(text.startswith("Chosen for you, ") for text in by_model)
    assert {row["mean"] for row in figures["judge"]["questions"].values()} == {1.0}
    assert result["judges_itself"]
    assert "judges its own words" in capsys.readouterr().err
    assert "Accepted answers" in page
    assert "Use another judge" in page


def test_model_with_too_few_accepted_answers_fails_and_sees_no_shop_data(endpoint, evaluate, small_shop, capsys):
    wordy(endpoint, good_answers=8)
    model = ("--generator", "openai", "--reason-model", "wordy", "--reason-endpoint", endpoint.url)
    code, result, page = evaluate(*model)
    assert code == CHECKS_FAILED
    assert result["languages"]["en"]["unsupported"] == 0
    assert "do not enable: en: the verifier accepts 66.7 %" in capsys.readouterr().err
    assert "Do not enable" in page
    sent = json.dumps(endpoint.asked, ensure_ascii=False)
    items, user_ids = small_shop.items, small_shop.events["user_id"].unique()
    words = [*items["title"], *items["brand"].drop_nulls(), *user_ids]
    assert len(endpoint.asked) > 5
    assert not [word for word in words if word in sent]


def test_real_model_that_babbles_fails_and_is_never_shown(evaluate, tmp_path, monkeypatch):
    monkeypatch.setattr(reason_authors, "CANDIDATES", 2)
    folder = tiny_language_model.make(tmp_path / "babbler")
    code, result, _ = evaluate("--generator", "transformers", "--reason-model", str(folder), users=1)
    assert code == CHECKS_FAILED
    figures = result["languages"]["en"]
    assert figures["model"]["acceptance"] == 0
    assert figures["model"]["shown"] == 0
    assert figures["unsupported"] == 0


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
