"""What the shop's people are told of a list, over the wire."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from recsvc.v1 import explain_pb2 as pb
from recsvc.v1 import recommendation_pb2, users_pb2
from recsvc.v1.explain_pb2_grpc import ExplainServiceStub
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess


@pytest.fixture
def replicas(
    start_replicas: Callable[..., list[ServiceProcess]], redis_server: RedisServer, tmp_path: Path
) -> list[ServiceProcess]:
    placements = tmp_path / "placements.toml"
    placements.write_text('[placements.home]\nmax_per_brand = 1\n[placements.basket]\nsurface = "cart"\n')
    return start_replicas(redis_url=redis_server.url, placements=placements)


def given(explain: ExplainServiceStub, user_id: str, list_id: str) -> pb.ExplainRecommendationResponse | None:
    request = pb.ExplainRecommendationRequest(user_id=user_id, recommendation_id=list_id)
    try:
        return explain.ExplainRecommendation(request, timeout=10)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return None


def explained(explain: ExplainServiceStub, user_id: str, list_id: str) -> pb.ExplainRecommendationResponse:
    response = given(explain, user_id, list_id)
    assert response is not None
    return response


def test_a_list_is_told_of_by_any_replica_until_its_user_is_erased(replicas: list[ServiceProcess]) -> None:
    with replicas[0].channel() as first, replicas[1].channel() as second:
        shop, explain = Storefront(first), ExplainServiceStub(second)
        shop.buy("ann", "i00003", "i00008")
        answer = shop.recommend("ann", placement="home", reasons=False)
        eventually(lambda: given(explain, "ann", answer.recommendation_id) is not None)
        told = explained(explain, "ann", answer.recommendation_id)
        assert [item.item_id for item in told.items] == item_ids(answer)
        assert [item.rank for item in told.items] == list(range(1, 11))
        assert (told.placement, told.arm, told.propensity) == ("home", "control", 1.0)
        assert (told.bundle_id, told.surface) == (answer.bundle_id, recommendation_pb2.SURFACE_FOR_YOU)
        assert told.unchanged
        for item in told.items:
            assert sum(block.score for block in item.block_scores) == pytest.approx(item.score, abs=1e-4)
        shop.buy("ann", "i00020")
        assert not explained(explain, "ann", answer.recommendation_id).unchanged
        assert given(explain, "bob", answer.recommendation_id) is None
        shop.users.DeleteUser(users_pb2.DeleteUserRequest(user_id="ann"), timeout=10)
        assert given(explain, "ann", answer.recommendation_id) is None


def test_only_the_last_lists_are_kept(replicas: list[ServiceProcess]) -> None:
    with replicas[0].channel() as channel:
        shop, explain = Storefront(channel), ExplainServiceStub(channel)
        lists = [shop.recommend("ann", placement="basket", reasons=False).recommendation_id for _ in range(25)]
        eventually(lambda: given(explain, "ann", lists[-1]) is not None)
        kept = [given(explain, "ann", list_id) for list_id in lists]
        assert [each is not None for each in kept] == [False] * 5 + [True] * 20
        assert explained(explain, "ann", lists[-1]).surface == recommendation_pb2.SURFACE_CART


def test_why_an_item_is_not_in_a_list(replicas: list[ServiceProcess]) -> None:
    with replicas[0].channel() as channel:
        shop, explain = Storefront(channel), ExplainServiceStub(channel)
        request = recommendation_pb2.RecommendRequest(user_id="ann", k=10, placement="home")
        listed = item_ids(shop.recommend("ann", placement="home"))
        there = explain.WhyNot(pb.WhyNotRequest(request=request, item_id=listed[3]), timeout=10)
        assert (there.listed_rank, list(there.obstacles), there.arm) == (4, [], "control")
        shop.set_inventory(listed[3], stock=0)

        def obstacles() -> list[int]:
            return list(explain.WhyNot(pb.WhyNotRequest(request=request, item_id=listed[3]), timeout=10).obstacles)

        eventually(lambda: obstacles() == [pb.OBSTACLE_OUT_OF_STOCK])
