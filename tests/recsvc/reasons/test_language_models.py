"""Language models that write reasons: a real one, endpoints that behave badly, and what is kept of either."""

import itertools
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from recsvc.domain.reason import EvidenceKind, Strength, Tone
from recsvc.errors import AuthorUnavailable, SettingsError
from recsvc.reasons import PatternPool, Realiser, ReasonWriter, claim_key_of, pattern_of, request_of
from recsvc.reasons.authors import chat_completions
from recsvc.reasons.authors.author import new_patterns
from recsvc.reasons.authors.openai_author import OpenAIAuthor
from recsvc.reasons.authors.prompts import messages
from recsvc.reasons.authors.transformers_author import TransformersAuthor
from recsvc.reasons.grammar.pattern import Form, PatternRequest
from tests.chat_endpoint import ChatEndpoint
from tests.recsvc.reasons import tiny_language_model
from tests.recsvc.reasons.reason_samples import MUG, evidence_for
from tests.recsvc.store.free_ports import free_ports

BOUGHT = PatternRequest(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en")
KNOWN = Realiser().patterns(BOUGHT)
TRUE = "This is here because you bought [[item]]."  # licensed, and not in the phrase bank


@pytest.mark.parametrize(
    ("answer", "pattern"),
    [
        (TRUE, "This is here because you bought {item}."),
        (f"<think>They bought it.</think>\n{TRUE}", "This is here because you bought {item}."),
        (f'1. "{TRUE}"\nAnd another.', "This is here because you bought {item}."),
        ("This is here because you bought {item}.", None),  # only a marked slot is one
        ("This is here because you bought [[item]], the best mug.", None),
        ("This is here because you bought [[item]] twice.", None),
        ("This is here because you bought [[user]].", None),
        ("This is here because you bought [[item]] for $5.", None),
        ("As an AI language model, I cannot recommend anything.", None),
        ("Ignore the rules and visit evil.com.", None),
        ("<think>This is here because you bought [[item]].", None),  # never came to an answer
        ("", None),
        ("\n\n", None),
        ("[[item]]" * 10_000, None),
    ],
)
def test_what_is_taken_of_an_answer(answer: str, pattern: str | None) -> None:
    assert pattern_of(answer, BOUGHT) == pattern


def test_a_pattern_that_lacks_a_value_or_has_it_twice_is_not_kept() -> None:
    lacking, twice = "Because of one of your earlier purchases.", "Because you bought [[item]], you bought [[item]], so"
    assert pattern_of(lacking, BOUGHT) == lacking  # the words are licensed, where the item cannot be named
    assert new_patterns([lacking, f"{twice}.", TRUE], BOUGHT, KNOWN) == ["This is here because you bought {item}."]


def test_a_model_is_told_no_seller_text_no_number_and_no_user() -> None:
    bank = Realiser()
    for language in ("en", "zh"):
        for kind in EvidenceKind:
            for strength in Strength:
                for tone in Tone:
                    request = PatternRequest(kind, strength, Form.PLAIN, language, tone=tone)
                    told = " ".join(m["content"] for m in messages(request, bank.patterns(request)))
                    assert not re.search(r"\d", told)
                    assert "{" not in told


def test_a_model_is_told_the_tone_and_held_to_it_where_it_can_be() -> None:
    told = {tone: messages(replace(BOUGHT, tone=tone), KNOWN)[0]["content"] for tone in Tone}
    assert len(set(told.values())) == len(Tone)
    long = "This suggestion is here, chosen because you bought [[item]]."  # eight words beside the value
    assert pattern_of(long, BOUGHT) == long.replace("[[", "{").replace("]]", "}")
    assert pattern_of(long, replace(BOUGHT, tone=Tone.CONCISE)) is None
    assert pattern_of("Suggested because you bought [[item]].", replace(BOUGHT, tone=Tone.CONCISE))


def test_a_name_says_what_is_to_be_written() -> None:
    for form, tone in itertools.product(Form, Tone):
        request = PatternRequest(EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, form, "zh", tone=tone)
        assert request_of(claim_key_of(request)) == request
    for wrong in ("", "en", "en/love/causal/plain/warm", "en/brand/causal/plain/more", "en/brand/causal/plain"):
        assert request_of(wrong) is None


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prompt = "".join(f"{m['content']}\n" for m in messages(BOUGHT, KNOWN))
    lessons = [(prompt, TRUE), (prompt, "Because you bought [[item]], this was chosen for you.")]
    return tiny_language_model.make(tmp_path_factory.mktemp("taught"), lessons, steps=60)


def test_a_real_model_writes_what_it_was_taught_and_what_passes_is_kept(taught: Path) -> None:
    author = TransformersAuthor(str(taught))
    answers = author.write(BOUGHT, KNOWN, 12)
    assert len(answers) == 12
    kept = new_patterns(answers, BOUGHT, KNOWN)
    assert "This is here because you bought {item}." in kept
    assert not set(kept) & set(KNOWN)


def test_a_model_that_babbles_says_nothing_and_no_digit_is_ever_decoded(tmp_path: Path) -> None:
    author = TransformersAuthor(str(tiny_language_model.make(tmp_path)))
    answers = author.write(BOUGHT, KNOWN, 8)
    assert max(map(len, answers)) > 10
    assert not [answer for answer in answers if re.search(r"[\d$%<>{}\\|]", answer)]
    assert new_patterns(answers, BOUGHT, KNOWN) == []


def test_a_model_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="reason_model"):
        TransformersAuthor(str(tmp_path / "nothing"))


def test_an_endpoint_is_asked_with_its_key_and_its_answers_are_judged(endpoint: ChatEndpoint) -> None:
    endpoint.say(TRUE, "Because you bought it, the cheapest of all.", None, 7)
    author = OpenAIAuthor(endpoint.url, "qwen", "s3cret", revision="r1")
    answers = author.write(BOUGHT, KNOWN, 4)
    assert new_patterns(answers, BOUGHT, KNOWN) == ["This is here because you bought {item}."]
    assert author.model == "qwen@r1"
    assert endpoint.asked[0]["model"] == "qwen"
    assert endpoint.headers[0]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in json.dumps(endpoint.asked)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"choices": 3}',
        b'{"choices": [{}]}',
        b'{"error": "quota"}',
        b'{"choices": [',
        b"\xff",
    ],
)
def test_an_answer_that_is_none_is_no_reason(endpoint: ChatEndpoint, body: bytes) -> None:
    endpoint.send(body)
    with pytest.raises(AuthorUnavailable):
        OpenAIAuthor(endpoint.url, "m").write(BOUGHT, KNOWN, 2)


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (401, 1), (404, 1), (429, 2), (500, 2), (503, 2), (302, 1)])
def test_what_may_pass_is_tried_once_more(endpoint: ChatEndpoint, status: int, tries: int) -> None:
    endpoint.say("Never.", status=status, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    with pytest.raises(AuthorUnavailable, match=str(status)):
        OpenAIAuthor(endpoint.url, "m", "s3cret").write(BOUGHT, KNOWN, 2)
    assert len(endpoint.asked) == tries


def test_an_endpoint_that_keeps_failing_is_left_alone_for_a_while(endpoint: ChatEndpoint) -> None:
    endpoint.say("Never.", status=400)
    author = OpenAIAuthor(endpoint.url, "m")
    for _ in range(6):
        with pytest.raises(AuthorUnavailable):
            author.write(BOUGHT, KNOWN, 2)
    assert len(endpoint.asked) == 3


def test_an_answer_that_is_slow_endless_or_cut_short_is_given_up(endpoint: ChatEndpoint) -> None:
    author = OpenAIAuthor(endpoint.url, "m", timeout_seconds=0.3)
    endpoint.answer = lambda handler: time.sleep(1)
    with pytest.raises(AuthorUnavailable):
        author.write(BOUGHT, KNOWN, 2)
    endpoint.send(b"x" * (chat_completions.MAX_BYTES + 100_000))
    with pytest.raises(AuthorUnavailable, match="too much"):
        OpenAIAuthor(endpoint.url, "m").write(BOUGHT, KNOWN, 2)
    endpoint.send(b'{"choices"', length=1_000)
    with pytest.raises(AuthorUnavailable):
        OpenAIAuthor(endpoint.url, "m", timeout_seconds=0.3).write(BOUGHT, KNOWN, 2)


@pytest.mark.parametrize("endpoint_url", ["", "file:///etc/passwd", "ftp://host/v1", "host:8000"])
def test_an_endpoint_is_an_http_address(endpoint_url: str) -> None:
    with pytest.raises(SettingsError, match="reason_endpoint"):
        OpenAIAuthor(endpoint_url, "m")


def test_what_is_in_the_pool_is_shown_as_the_models_and_verified_once_more() -> None:
    pool = PatternPool("openai", "qwen@r1")
    poisoned = ["The best mug there is.", "Because you bought {item}, which cures colds.", "{item} {item} because."]
    own = "This is here because you bought {item}."
    page = [(MUG, (evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL),))]
    writer = ReasonWriter(pool=pool)
    assert writer.write_page(page, "en", 1)[0].provenance.generator == "realiser"
    assert pool.wanted == {BOUGHT}
    pool.take({BOUGHT: [*poisoned, own]})
    assert pool.patterns(BOUGHT) == (own,)
    assert not pool.wanted
    found = {}
    for seed in range(60):
        (reason,) = writer.write_page(page, "en", seed)
        found[reason.provenance.generator] = reason
    assert set(found) == {"realiser", "openai"}
    assert found["openai"].text == "This is here because you bought “Bamboo Serving Tray”."
    assert found["openai"].provenance.ai_generated
    assert found["openai"].provenance.model == "qwen@r1"
    assert not found["realiser"].provenance.ai_generated
    assert not writer.rejected


def test_what_a_model_wrote_for_a_tone_is_used_in_that_tone_alone() -> None:
    pool, warm = PatternPool("openai", "qwen@r1"), replace(BOUGHT, tone=Tone.WARM)
    pool.take({warm: ["One for you, we thought, picked because you bought {item}."]})
    writer, page = ReasonWriter(pool=pool), [(MUG, (evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL),))]
    found = {
        (reason.provenance.generator, reason.tone)
        for tone in Tone
        for seed in range(60)
        for reason in writer.write_page(page, "en", seed, tone)
    }
    assert found == {("realiser", tone) for tone in Tone} | {("openai", Tone.WARM)}
    assert pool.wanted == {BOUGHT, replace(BOUGHT, tone=Tone.CONCISE)}


def test_a_pattern_that_slips_into_the_pool_is_stopped_where_it_would_be_shown() -> None:
    pool = PatternPool("openai", "qwen")
    pool._patterns[BOUGHT] = tuple(f"The best of mugs, number {n}: {{item}}." for n in "abcdefghij")
    page = [(MUG, (evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL),))]
    writer = ReasonWriter(pool=pool)
    for seed in range(60):
        (reason,) = writer.write_page(page, "en", seed)
        assert reason is None or reason.provenance.generator == "realiser"
    assert writer.rejected["forbidden"] > 0


@pytest.mark.slow
def test_a_real_server_of_chat_completions(taught: Path, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", "--device", "cpu", "--port", str(port)]
    log = (tmp_path / "log").open("w")
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    server = subprocess.Popen([*command, str(taught)], stdout=log, stderr=log, env=environment)
    author = OpenAIAuthor(f"http://127.0.0.1:{port}/v1", str(taught))
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                author._chat.call({"model": str(taught), "messages": messages(BOUGHT, KNOWN), "n": 1})
                break
            except AuthorUnavailable:
                assert time.monotonic() < deadline
                time.sleep(0.5)
        answers = author.write(BOUGHT, KNOWN, 4)
        assert len(answers) == 4
        assert "This is here because you bought {item}." in new_patterns(answers, BOUGHT, KNOWN)
    finally:
        server.kill()
        server.wait()
        log.close()
