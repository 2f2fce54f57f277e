"""The reason worker when its model is slow or away for some claims: the others are written, and those wait."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from recsvc import reason_worker
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.errors import AuthorUnavailable
from recsvc.reason_worker import Postponed, write_missing
from recsvc.reasons import PatternRequest, Realiser, author_id, claim_key_of
from recsvc.reasons.authors.author import CANDIDATES
from recsvc.reasons.authors.openai_author import OpenAIAuthor
from recsvc.reasons.authors.prompts import marked
from recsvc.reasons.grammar.pattern import Form
from recsvc.store import PatternStore, open_store
from tests.chat_endpoint import ChatEndpoint
from tests.conftest import RedisServer

VIEWED = PatternRequest(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.VIEWED, "en")
CLAIMS = {form: claim_key_of(replace(VIEWED, form=form)) for form in (Form.PLAIN, Form.VIEWED, Form.CART)}
AUTHOR = author_id("openai", "m")


@pytest.fixture
async def patterns(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[PatternStore]:
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
        yield store.patterns


def serve(endpoint: ChatEndpoint, unanswered: str) -> None:
    """Answers as a server with choices does, but not if a prompt contains a text."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = endpoint.asked[-1]
        if unanswered in body["messages"][-1]["content"]:
            endpoint.send(b"{}", status=503)
        else:
            endpoint.say(*body["guided_choice"][: body["n"]])
        send, endpoint.answer = endpoint.answer, answer
        send(handler)

    endpoint.answer = answer


async def test_claim_without_an_answer_waits_and_the_others_are_written(
    patterns: PatternStore, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    await patterns.want(AUTHOR, [*CLAIMS.values(), "no claim"])
    serve(endpoint, unanswered=marked(Realiser().patterns(VIEWED)[0]))
    author, bank, stop, postponed = OpenAIAuthor(endpoint.url, "m", batch=4), Realiser(), asyncio.Event(), Postponed()
    assert await write_missing(patterns, author, bank, stop, postponed) == 3
    assert await patterns.wanted(AUTHOR) == [CLAIMS[Form.VIEWED]]
    written = await patterns.all(AUTHOR)
    assert len(written[CLAIMS[Form.PLAIN]]) == len(set(written[CLAIMS[Form.PLAIN]])) == CANDIDATES
    assert not set(written[CLAIMS[Form.PLAIN]]) & set(bank.patterns(replace(VIEWED, form=Form.PLAIN)))

    # It waits, and is then written.
    serve(endpoint, unanswered="never")
    asked = len(endpoint.asked)
    assert await write_missing(patterns, author, bank, stop, postponed) == 0
    assert len(endpoint.asked) == asked
    later = time.monotonic() + reason_worker.RETRY_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert await write_missing(patterns, author, bank, stop, postponed) == 1
    assert await patterns.wanted(AUTHOR) == []


async def test_model_that_is_away_ends_the_round_and_every_claim_stays_wanted(
    patterns: PatternStore, endpoint: ChatEndpoint
) -> None:
    await patterns.want(AUTHOR, CLAIMS.values())
    endpoint.say("Never.", status=404)
    with pytest.raises(AuthorUnavailable):
        await write_missing(patterns, OpenAIAuthor(endpoint.url, "m"), Realiser(), asyncio.Event(), Postponed())
    assert len(endpoint.asked) == reason_worker.MAX_FAILURES
    assert await patterns.wanted(AUTHOR) == sorted(CLAIMS.values())


def test_wait_of_a_claim_doubles_with_each_failure_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    postponed, waits = Postponed(), []
    for _ in range(9):
        postponed.add("claim")
        since = now[0]
        while "claim" in postponed:
            now[0] += 1
        waits.append(now[0] - since)
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    postponed.remove("claim")
    postponed.add("claim")
    now[0] += reason_worker.RETRY_SECONDS
    assert "claim" not in postponed
