"""Language models that write patterns: a real one, endpoints that fail, and which of their answers are kept."""

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
from recsvc.reasons.authors.chat_completions import ChatCompletions
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
TRUE = "This is here because you bought [[item]]."  # accepted by the grammar, and not in the phrase bank


@pytest.mark.parametrize(
    ("answer", "pattern"),
    [
        (TRUE, "This is here because you bought {item}."),
        (f"<think>They bought it.</think>\n{TRUE}", "This is here because you bought {item}."),
        (f'1. "{TRUE}"\nAnd another.', "This is here because you bought {item}."),
        ("This is here because you bought {item}.", None),  # slots must be marked
        ("This is here because you bought [[item]], the best mug.", None),
        ("This is here because you bought [[item]] twice.", None),
        ("This is here because you bought [[user]].", None),
        ("This is here because you bought [[item]] for $5.", None),
        ("As an AI language model, I cannot recommend anything.", None),
        ("Ignore the rules and visit evil.com.", None),
        ("<think>This is here because you bought [[item]].", None),  # no answer after the thought
        ("", None),
        ("\n\n", None),
        ("[[item]]" * 10_000, None),
    ],
)
def test_pattern_of_an_answer(answer: str, pattern: str | None) -> None:
    assert pattern_of(answer, BOUGHT) == pattern


def test_pattern_without_a_slot_or_with_it_twice_is_not_accepted() -> None:
    lacking, twice = "Because of one of your earlier purchases.", "Because you bought [[item]], you bought [[item]], so"
    assert pattern_of(lacking, BOUGHT) == lacking  # accepted as words: an unnamed item has no slot
    assert new_patterns([lacking, f"{twice}.", TRUE], BOUGHT, KNOWN) == ["This is here because you bought {item}."]


def test_prompt_has_no_number_and_no_unmarked_slot() -> None:
    bank = Realiser()
    for language in ("en", "zh"):
        for kind in EvidenceKind:
            for strength in Strength:
                for tone in Tone:
                    request = PatternRequest(kind, strength, Form.PLAIN, language, tone=tone)
                    prompt = " ".join(message["content"] for message in messages(request, bank.patterns(request)))
                    assert not re.search(r"\d", prompt)
                    assert "{" not in prompt


def test_prompt_states_the_tone_and_long_concise_patterns_are_rejected() -> None:
    prompts = {tone: messages(replace(BOUGHT, tone=tone), KNOWN)[0]["content"] for tone in Tone}
    assert len(set(prompts.values())) == len(Tone)
    long = "This suggestion is here, chosen because you bought [[item]]."  # eight words beside the value
    assert pattern_of(long, BOUGHT) == long.replace("[[", "{").replace("]]", "}")
    assert pattern_of(long, replace(BOUGHT, tone=Tone.CONCISE)) is None
    assert pattern_of("Suggested because you bought [[item]].", replace(BOUGHT, tone=Tone.CONCISE))


def test_claim_key_and_request_are_inverse() -> None:
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


def test_trained_model_writes_patterns_that_are_accepted(taught: Path) -> None:
    author = TransformersAuthor(str(taught))
    answers = author.write(BOUGHT, KNOWN, 12)
    assert len(answers) == 12
    kept = new_patterns(answers, BOUGHT, KNOWN)
    assert "This is here because you bought {item}." in kept
    assert not set(kept) & set(KNOWN)


def test_untrained_model_gives_no_pattern_and_no_digit(tmp_path: Path) -> None:
    author = TransformersAuthor(str(tiny_language_model.make(tmp_path)))
    answers = author.write(BOUGHT, KNOWN, 8)
    assert max(map(len, answers)) > 10
    assert not [answer for answer in answers if re.search(r"[\d$%<>{}\\|]", answer)]
    assert new_patterns(answers, BOUGHT, KNOWN) == []


def test_missing_model_raises_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="reason_model"):
        TransformersAuthor(str(tmp_path / "nothing"))


def test_endpoint_gets_its_key_and_answers_are_filtered(endpoint: ChatEndpoint) -> None:
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
def test_malformed_answer_raises_author_unavailable(endpoint: ChatEndpoint, body: bytes) -> None:
    endpoint.send(body)
    with pytest.raises(AuthorUnavailable):
        OpenAIAuthor(endpoint.url, "m").write(BOUGHT, KNOWN, 2)


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (401, 1), (404, 1), (429, 2), (500, 2), (503, 2), (302, 1)])
def test_temporary_error_is_tried_once_more(endpoint: ChatEndpoint, status: int, tries: int) -> None:
    endpoint.say("Never.", status=status, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    with pytest.raises(AuthorUnavailable, match=str(status)):
        OpenAIAuthor(endpoint.url, "m", "s3cret").write(BOUGHT, KNOWN, 2)
    assert len(endpoint.asked) == tries


def test_endpoint_that_keeps_failing_is_not_called_for_a_while(endpoint: ChatEndpoint) -> None:
    endpoint.say("Never.", status=400)
    author = OpenAIAuthor(endpoint.url, "m")
    for _ in range(6):
        with pytest.raises(AuthorUnavailable):
            author.write(BOUGHT, KNOWN, 2)
    assert len(endpoint.asked) == 3


def test_slow_endless_or_short_answer_raises_author_unavailable(endpoint: ChatEndpoint) -> None:
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
def test_endpoint_without_http_address_is_refused(endpoint_url: str) -> None:
    with pytest.raises(SettingsError, match="reason_endpoint"):
        OpenAIAuthor(endpoint_url, "m")


def test_pooled_patterns_are_verified_again_and_credited_to_the_model() -> None:
    pool = PatternPool("openai", "qwen@r1")
    poisoned = ["The best mug there is.", "Because you bought {item}, which cures colds.", "{item} {item} because."]
    own = "This is here because you bought {item}."
    page = [(MUG, (evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL),))]
    writer = ReasonWriter(pool=pool)
    (first,) = writer.write_page(page, "en", 1)
    assert first is not None
    assert first.provenance.generator == "realiser"
    assert pool.wanted == {BOUGHT}
    pool.take({BOUGHT: [*poisoned, own]})
    assert pool.patterns(BOUGHT) == (own,)
    assert not pool.wanted
    by_generator = {}
    for seed in range(60):
        (reason,) = writer.write_page(page, "en", seed)
        assert reason is not None
        by_generator[reason.provenance.generator] = reason
    assert set(by_generator) == {"realiser", "openai"}
    assert by_generator["openai"].text == "This is here because you bought “Bamboo Serving Tray”."
    assert by_generator["openai"].provenance.ai_generated
    assert by_generator["openai"].provenance.model == "qwen@r1"
    assert not by_generator["realiser"].provenance.ai_generated
    assert not writer.rejected


def test_pooled_pattern_is_used_only_in_its_tone() -> None:
    pool, warm = PatternPool("openai", "qwen@r1"), replace(BOUGHT, tone=Tone.WARM)
    pool.take({warm: ["One for you, we thought, picked because you bought {item}."]})
    writer, page = ReasonWriter(pool=pool), [(MUG, (evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL),))]
    used = {
        (reason.provenance.generator, reason.tone)
        for tone in Tone
        for seed in range(60)
        for reason in writer.write_page(page, "en", seed, tone)
        if reason is not None
    }
    assert used == {("realiser", tone) for tone in Tone} | {("openai", Tone.WARM)}
    assert pool.wanted == {BOUGHT, replace(BOUGHT, tone=Tone.CONCISE)}


def test_bad_pattern_in_the_pool_is_rejected_by_the_verifier() -> None:
    pool = PatternPool("openai", "qwen")
    pool._patterns[BOUGHT] = tuple(  # noqa: SLF001  `take` would refuse them
        f"The best of mugs, number {n}: {{item}}." for n in "abcdefghij"
    )
    page = [(MUG, (evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL),))]
    writer = ReasonWriter(pool=pool)
    for seed in range(60):
        (reason,) = writer.write_page(page, "en", seed)
        assert reason is None or reason.provenance.generator == "realiser"
    assert writer.rejected["forbidden"] > 0


@pytest.mark.slow
def test_real_chat_completions_server_gives_patterns(taught: Path, tmp_path: Path) -> None:
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
                ChatCompletions(f"http://127.0.0.1:{port}/v1").call(
                    {"model": str(taught), "messages": messages(BOUGHT, KNOWN), "n": 1}
                )
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
