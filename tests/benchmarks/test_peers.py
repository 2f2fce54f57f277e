"""The peers answer with the lists that they should: those of the vectors of the shop, or of implicit's model."""

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray

from recsvc.v1 import recommendation_pb2 as pb
from tests.benchmarks import cases, peer_files
from tests.benchmarks.http_servers import served
from tests.benchmarks.peer_servers import implicit_http, numpy_grpc, redis_http
from tests.conftest import RedisServer

K, USERS, ITEMS = 5, ["anna", "bert", "cleo"], [f"item-{number}" for number in range(300)]
Lists = dict[str, list[str]]


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((len(ITEMS), 8), np.float32)


@pytest.fixture(scope="module")
def folder(vectors: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the peers. The user at place n has bought every seventh item from the n-th on."""
    bought = [(user_id, item_id) for place, user_id in enumerate(USERS) for item_id in ITEMS[place::7]]
    events = pl.DataFrame(bought, schema=["user_id", "item_id"], orient="row")
    folder = tmp_path_factory.mktemp("peers")
    peer_files.write(vectors, ITEMS, events.with_columns(event_type=pl.lit("purchase")), USERS, folder)
    return folder


@pytest.fixture(scope="module")
def best(vectors: NDArray[np.float32]) -> Lists:
    """The K items with the largest product with the sum of the vectors that a user bought."""
    users = [vectors[place::7].sum(axis=0) for place in range(len(USERS))]
    return {
        user_id: [ITEMS[row] for row in np.argsort(-(vectors @ user))[:K]]
        for user_id, user in zip(USERS, users, strict=True)
    }


def answers_over_http(port: int) -> dict[str, list[dict[str, Any]]]:
    answers = {}
    for user_id, [(path, _)] in zip(USERS, cases.lists_over_http(USERS, K), strict=True):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            answers[user_id] = json.load(answer)
    return answers


def test_numpy_ranks_all_items(folder: Path, best: Lists) -> None:
    servicer = numpy_grpc.Servicer(folder)
    for user_id, item_ids in best.items():
        answer = asyncio.run(servicer.Recommend(pb.RecommendRequest(user_id=user_id, k=K), None))
        assert [item.item_id for item in answer.recommendations] == item_ids


def test_redis_has_the_same_lists(folder: Path, best: Lists, shared_redis: RedisServer) -> None:
    redis_http.fill(folder, str(shared_redis.socket))
    with served(redis_http.app(str(shared_redis.socket))) as port:
        answers = answers_over_http(port)
    assert {user_id: [item["item_id"] for item in items] for user_id, items in answers.items()} == best


def test_implicit_returns_the_best_scores_without_purchases(folder: Path) -> None:
    model = AlternatingLeastSquares.load(str(folder / "als.npz"))
    scores = model.user_factors @ model.item_factors.T
    with served(implicit_http.app(folder)) as port:
        for place, answer in enumerate(answers_over_http(port).values()):
            scores[place, place::7] = -np.inf
            own = scores[place, [ITEMS.index(item["item_id"]) for item in answer]]
            np.testing.assert_allclose(own, np.sort(scores[place])[: -K - 1 : -1], atol=1e-6)
            np.testing.assert_allclose([item["score"] for item in answer], own, atol=1e-6)
