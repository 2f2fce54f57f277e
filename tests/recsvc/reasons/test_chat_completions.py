"""Endpoints of chat completions that fail, are slow, or know other fields: what is asked, and what is kept."""

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.errors import AuthorUnavailable, SettingsError
from recsvc.reasons import Realiser, pattern_of
from recsvc.reasons.authors import chat_completions
from recsvc.reasons.authors.author import new_patterns
from recsvc.reasons.authors.chat_completions import ChatCompletions
from recsvc.reasons.authors.choices import choices
from recsvc.reasons.authors.openai_author import MAX_CHOICES, OpenAIAuthor
from recsvc.reasons.grammar.pattern import Form, PatternRequest
from tests.chat_endpoint import ChatEndpoint

BOUGHT = PatternRequest(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en")
KNOWN = Realiser().patterns(BOUGHT)
LICENSED = choices(BOUGHT, KNOWN)
Body = dict[str, Any]


def serve(endpoint: ChatEndpoint, contents: Callable[[Body], list[str] | int]) -> None:
    """Makes the endpoint answer each request with some contents, or with a status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        result = contents(endpoint.asked[-1])
        if isinstance(result, int):
            endpoint.send(b"{}", status=result)
        else:
            endpoint.say(*result)
        send, endpoint.answer = endpoint.answer, answer
        send(handler)

    endpoint.answer = answer


def test_endpoint_gets_its_key_and_answers_are_filtered(endpoint: ChatEndpoint) -> None:
    endpoint.say(LICENSED[0], "Because you bought it, the cheapest of all.", None, 7)
    author = OpenAIAuthor(endpoint.url, "qwen", "s3cret", revision="r1", batch=2)
    answers = author.write(BOUGHT, KNOWN, 2)
    assert new_patterns(answers, BOUGHT, KNOWN) == [pattern_of(LICENSED[0], BOUGHT)]
    assert author.model == "qwen@r1"
    assert endpoint.asked[0]["model"] == "qwen"
    assert endpoint.headers[0]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in json.dumps(endpoint.asked)


def test_server_with_grammars_or_choices_is_held_by_them_and_repeats_nothing(endpoint: ChatEndpoint) -> None:
    serve(endpoint, lambda body: body["guided_choice"][: body["n"]])
    answers = OpenAIAuthor(endpoint.url, "m", batch=4).write(BOUGHT, KNOWN, 10)
    assert [body["n"] for body in endpoint.asked] == [4, 4, 2]
    assert len(set(answers)) == len(answers) == 10
    assert set(answers) <= set(LICENSED)
    for body in endpoint.asked:
        assert len(body["guided_choice"]) <= MAX_CHOICES
        assert body["max_tokens"] >= max(len(sentence.encode()) for sentence in body["guided_choice"])
        assert body["grammar"].count('"') > 2
    offered_last = endpoint.asked[-1]["guided_choice"]
    assert not set(answers[:8]) & set(offered_last), "a sentence that is written is not offered again"


@pytest.mark.parametrize("status", [400, 422])
def test_server_that_refuses_unknown_fields_is_held_by_a_schema(endpoint: ChatEndpoint, status: int) -> None:
    def strict(body: Body) -> list[str] | int:
        if "grammar" in body or "structured_outputs" in body:
            return status
        enum = body["response_format"]["json_schema"]["schema"]["properties"]["sentence"]["enum"]
        return [json.dumps({"sentence": sentence}) for sentence in enum[: body["n"]]]

    serve(endpoint, strict)
    author = OpenAIAuthor(endpoint.url, "m", batch=4)
    assert set(author.write(BOUGHT, KNOWN, 8)) <= set(LICENSED)
    asked = len(endpoint.asked)
    author.write(BOUGHT, KNOWN, 4)
    assert len(endpoint.asked) == asked + 1, "the fields that were refused once are not sent again"


def test_server_that_ignores_every_constraint_gets_the_sentences_in_the_prompt(endpoint: ChatEndpoint) -> None:
    serve(endpoint, lambda body: ["Great choice!", LICENSED[1]][: body["n"]])
    author = OpenAIAuthor(endpoint.url, "m", batch=2)
    answers = author.write(BOUGHT, KNOWN, 6)
    assert new_patterns(answers, BOUGHT, KNOWN) == [pattern_of(LICENSED[1], BOUGHT)]
    assert ["grammar" in body for body in endpoint.asked] == [True, False, False]
    assert ["response_format" in body for body in endpoint.asked] == [False, True, False]
    prompts = [body["messages"][1]["content"] for body in endpoint.asked]
    listed = [sum(sentence in prompt for sentence in LICENSED) for prompt in prompts]
    assert listed[0] == listed[1] == 0
    assert listed[2] > 5


def test_server_that_takes_one_answer_a_call_is_asked_for_one_at_a_time(endpoint: ChatEndpoint) -> None:
    serve(endpoint, lambda body: 400 if body["n"] > 1 else body["guided_choice"][:1])
    author = OpenAIAuthor(endpoint.url, "m", batch=8)
    assert len(author.write(BOUGHT, KNOWN, 5)) == 5
    assert [body["n"] for body in endpoint.asked] == [5, 1, 1, 1, 1, 1]
    assert len(set(author.write(BOUGHT, KNOWN, 3))) == 3
    assert all("grammar" in body for body in endpoint.asked)


def test_answers_that_came_are_kept_when_the_endpoint_fails_later(endpoint: ChatEndpoint) -> None:
    serve(endpoint, lambda body: body["guided_choice"][: body["n"]] if len(endpoint.asked) <= 2 else 503)
    author = OpenAIAuthor(endpoint.url, "m", batch=3)
    assert len(author.write(BOUGHT, KNOWN, 12)) == 6
    with pytest.raises(AuthorUnavailable, match="503"):
        author.write(BOUGHT, KNOWN, 12)


def test_slow_call_is_repeated_for_half_as_many_answers(endpoint: ChatEndpoint) -> None:
    def slow(body: Body) -> list[str]:
        if body["n"] > 2:
            time.sleep(1.5)
        return body["guided_choice"][: body["n"]]

    serve(endpoint, slow)
    author = OpenAIAuthor(endpoint.url, "m", timeout_seconds=0.75, batch=8)
    assert len(author.write(BOUGHT, KNOWN, 8)) == 8
    assert [body["n"] for body in endpoint.asked] == [8, 4, 2, 2, 2, 2]


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


@pytest.mark.parametrize(("status", "tries"), [(401, 1), (404, 1), (302, 1), (429, 3), (500, 3), (503, 3)])
def test_temporary_error_is_tried_again(endpoint: ChatEndpoint, status: int, tries: int) -> None:
    endpoint.say("Never.", status=status, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    with pytest.raises(AuthorUnavailable, match=str(status)):
        OpenAIAuthor(endpoint.url, "m", "s3cret").write(BOUGHT, KNOWN, 2)
    assert len(endpoint.asked) == tries


def test_endpoint_that_keeps_failing_is_not_called_for_a_while(endpoint: ChatEndpoint) -> None:
    endpoint.say("Never.", status=404)
    author = OpenAIAuthor(endpoint.url, "m")
    for _ in range(6):
        with pytest.raises(AuthorUnavailable):
            author.write(BOUGHT, KNOWN, 2)
    assert len(endpoint.asked) == 3


def test_endless_or_short_answer_raises_author_unavailable(endpoint: ChatEndpoint) -> None:
    endpoint.send(b"x" * (chat_completions.MAX_BYTES + 100_000))
    with pytest.raises(AuthorUnavailable, match="too much"):
        OpenAIAuthor(endpoint.url, "m").write(BOUGHT, KNOWN, 2)
    endpoint.send(b'{"choices"', length=1_000)
    with pytest.raises(AuthorUnavailable):
        OpenAIAuthor(endpoint.url, "m", timeout_seconds=0.3).write(BOUGHT, KNOWN, 2)


def test_slow_endpoint_raises_author_unavailable_that_names_the_setting(endpoint: ChatEndpoint) -> None:
    endpoint.answer = lambda handler: time.sleep(1)
    with pytest.raises(AuthorUnavailable, match=r"after 0\.2 s; --reason-timeout"):
        ChatCompletions(endpoint.url, timeout_seconds=0.2).answers({}, 2)


@pytest.mark.parametrize("endpoint_url", ["", "file:///etc/passwd", "ftp://host/v1", "host:8000"])
def test_endpoint_without_http_address_is_refused(endpoint_url: str) -> None:
    with pytest.raises(SettingsError, match="reason_endpoint"):
        OpenAIAuthor(endpoint_url, "m")
