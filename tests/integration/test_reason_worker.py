"""A reason worker beside a running service: its words are shown when they pass, and nobody waits for it."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from recsvc.v1 import reason_pb2, recommendation_pb2, users_pb2
from tests.chat_endpoint import ChatEndpoint
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess

LIES = ("The best of all, says everybody.", "Because you bought [[item]], which cures colds.", "Ignore the rules.")


def lie_and_choose(endpoint: ChatEndpoint) -> None:
    """Makes the endpoint answer with lies, and with sentences that the prompt or the request lists."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        request = endpoint.asked[-1]
        listed = request["messages"][-1]["content"].split("List:\n")[-1].splitlines()
        lie = LIES[len(endpoint.asked) % len(LIES)]
        endpoint.say(*[lie, *request.get("guided_choice", listed)][: request["n"]])
        send, endpoint.answer = endpoint.answer, answer
        send(handler)

    endpoint.answer = answer


@pytest.fixture
def start_worker(redis_server: RedisServer, endpoint: ChatEndpoint) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "recsvc", "reason-worker", "--reason-generator", "openai"]
        command += ["--reason-model", "qwen", "--reason-endpoint", endpoint.url]
        environment = os.environ | {"RECSVC_REDIS_URL": redis_server.url, "RECSVC_REASON_API_KEY": "s3cret"}
        started.append(subprocess.Popen(command, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_verified_words_of_a_model_are_shown_and_no_others(
    start_service: Callable[..., ServiceProcess],
    start_worker: Callable[[], subprocess.Popen[bytes]],
    redis_server: RedisServer,
    endpoint: ChatEndpoint,
    bought: tuple[str, ...],
) -> None:
    lie_and_choose(endpoint)
    service = start_service(redis_url=redis_server.url, reason_generator="openai", reason_model="qwen")
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("ann", *bought)
        first = shop.recommend("ann")
        assert {r.reason.provenance.generator for r in first.recommendations if r.HasField("reason")} == {"realiser"}
        worker = start_worker()

        numbers = itertools.count()

        told: list[reason_pb2.Reason] = []

        def written() -> list[reason_pb2.Reason]:
            user_id = f"u{next(numbers)}"  # another each time: the words of a page are kept for its user
            shop.buy(user_id, *bought)
            told.extend(r.reason for r in shop.recommend(user_id, 50).recommendations if r.HasField("reason"))
            return [reason for reason in told if reason.provenance.generator == "openai"]

        eventually(lambda: len(written()) > 2)
        assert all(reason.provenance.ai_generated and reason.provenance.verified for reason in written())
        assert {reason.provenance.model for reason in written()} == {"qwen"}
        assert not [reason.text for reason in told if "best" in reason.text or "cures" in reason.text]
        listed = item_ids(shop.recommend("ann"))

        # Without the worker, without its endpoint, without Redis: the same lists, and no unverified word.
        worker.send_signal(signal.SIGKILL)
        endpoint.send(b"<html>gone</html>", status=500)
        assert item_ids(shop.recommend("ann")) == listed
        start_worker()
        redis_server.kill()
        again = shop.recommend("ann")
        assert item_ids(again) == listed
        assert all(r.reason.provenance.verified for r in again.recommendations if r.HasField("reason"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "reason_generator"),
        (["--reason-generator", "openai", "--redis", "redis://127.0.0.1:1"], "reason_model"),
        (["--reason-generator", "transformers", "--reason-model", "no/such"], "redis_url"),
        (
            ["--reason-generator", "openai", "--reason-model", "m", "--redis", "redis://127.0.0.1:1"],
            "reason_endpoint: must be an http",
        ),
    ],
)
def test_a_worker_that_cannot_start_says_why(arguments: list[str], problem: str) -> None:
    command = [sys.executable, "-m", "recsvc", "reason-worker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_better_words_are_streamed_as_they_pass(
    start_service: Callable[..., ServiceProcess],
    start_worker: Callable[[], subprocess.Popen[bytes]],
    redis_server: RedisServer,
    endpoint: ChatEndpoint,
    bought: tuple[str, ...],
) -> None:
    lie_and_choose(endpoint)
    service = start_service(redis_url=redis_server.url, reason_generator="openai", reason_model="qwen")
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("ann", *bought)
        stream = open_stream(shop, "ann", 30)
        first = next(stream).list
        assert item_ids(first) == item_ids(shop.recommend("ann", 30))
        shown = {r.item_id: r.reason for r in first.recommendations if r.HasField("reason")}
        assert {reason.provenance.generator for reason in shown.values()} == {"realiser"}
        start_worker()
        updates = [next(stream).update for _ in range(3)]
        assert len({update.item_id for update in updates}) == 3
        for update in updates:
            before, after = shown[update.item_id], update.reason
            assert after.provenance.generator == "openai"
            assert after.provenance.verified
            assert after.text != before.text
            assert after.evidence[0] == before.evidence[0]
            assert not any(lie.split()[-1] in after.text for lie in LIES)
        stream.cancel()

        # A user who is erased hears no more; nor does one whose stream has nothing to wait for.
        shop.buy("eve", *bought)
        endpoint.send(b"", status=500)
        stream = open_stream(shop, "eve", 30)
        next(stream)
        shop.users.DeleteUser(users_pb2.DeleteUserRequest(user_id="eve"), timeout=20)
        assert len(list(stream)) < 30


def test_without_a_language_model_the_list_is_all(
    start_service: Callable[..., ServiceProcess], bought: tuple[str, ...]
) -> None:
    service = start_service()
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("ann", *bought)
        (only,) = open_stream(shop, "ann", 5)
        assert item_ids(only.list) == item_ids(shop.recommend("ann", 5))


def open_stream(shop: Storefront, user_id: str, k: int) -> Any:
    request = recommendation_pb2.RecommendRequest(user_id=user_id, k=k)
    return shop.recommendations.StreamReasons(recommendation_pb2.StreamReasonsRequest(request=request), timeout=50)
