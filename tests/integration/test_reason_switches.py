"""Kill switches on two replicas: what is turned off is said by none of them, nor by one that starts later."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from recsvc.model import bundle_files
from recsvc.v1 import content_pb2, content_pb2_grpc, policy_pb2, policy_pb2_grpc, recommendation_pb2
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.integration.clients import reasons as reasons_of
from tests.service_process import ServiceProcess


def turn(channel: grpc.Channel, on: bool = False, **switch: str) -> None:
    stub = policy_pb2_grpc.PolicyServiceStub(channel)
    meant = policy_pb2.Switch(**switch)
    if on:
        stub.TurnOn(policy_pb2.TurnOnRequest(switch=meant), timeout=20)
    else:
        stub.TurnOff(policy_pb2.TurnOffRequest(switch=meant), timeout=20)


def off(channel: grpc.Channel) -> list[policy_pb2.Switch]:
    stub = policy_pb2_grpc.PolicyServiceStub(channel)
    return list(stub.ListSwitches(policy_pb2.ListSwitchesRequest(), timeout=20).switches)


def test_on_every_replica_and_after_a_restart(
    start_service: Callable[..., ServiceProcess],
    start_replicas: Callable[..., list[ServiceProcess]],
    redis_server: RedisServer,
    bought: tuple[str, ...],
) -> None:
    one, two = start_replicas(redis_url=redis_server.url)
    with one.channel() as asked, two.channel() as other:
        shops = Storefront(asked), Storefront(other)
        shops[0].buy("ann", *bought)

        def told(shop: Storefront, language: str = "en") -> list[str]:
            return list(reasons_of(shop.recommend("ann", context={"language": language})))

        listed = item_ids(shops[0].recommend("ann"))
        before = told(shops[1])
        assert len(before) > 5
        assert len(told(shops[1], "zh")) > 5

        turn(asked, language="en", recipe="reason.v1")
        assert told(shops[0]) == []  # at once where it was asked, the page that was kept included
        eventually(lambda: told(shops[1]) == [])
        assert len(told(shops[1], "zh")) > 5
        assert item_ids(shops[1].recommend("ann")) == listed

        third = start_service(redis_url=redis_server.url)
        with third.channel() as channel:
            assert told(Storefront(channel)) == []

        # Redis away: what is known holds, and nobody is told that something was changed that was not.
        redis_server.kill()
        assert told(shops[1]) == []
        with pytest.raises(grpc.RpcError) as refused:
            turn(asked, on=True, language="en", recipe="reason.v1")
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        redis_server.start()
        eventually(lambda: off(other) == [policy_pb2.Switch(recipe="reason.v1", language="en")])

        turn(other, on=True, language="en", recipe="reason.v1")
        eventually(lambda: told(shops[0]) == told(shops[1]) == before)


def test_a_category_is_not_spoken_of(
    start_service: Callable[..., ServiceProcess], bought: tuple[str, ...], small_bundle: Path
) -> None:
    service = start_service()
    paths = {item.item_id: " > ".join(item.categories) for item in bundle_files.load(small_bundle).catalogue.items}
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("ann", *bought)
        before = shop.recommend("ann", 60)
        department = paths[before.recommendations[0].item_id].split(" > ")[0]

        def about(found: recommendation_pb2.Recommendation) -> set[str]:
            return {found.item_id} | {each.anchor_item_id for each in found.reason.evidence} - {""}

        def touches(found: recommendation_pb2.Recommendation) -> bool:
            return any(paths[item_id].startswith(department) for item_id in about(found))

        told = [found for found in before.recommendations if found.HasField("reason")]
        assert any(map(touches, told))
        assert not all(map(touches, told))
        turn(channel, category=department)
        after = shop.recommend("ann", 60)
        assert item_ids(after) == item_ids(before)
        still = {found.item_id: found for found in after.recommendations if found.HasField("reason")}
        assert not any(map(touches, still.values()))
        assert {found.item_id for found in told if not touches(found)} <= still.keys()


def test_copy_is_turned_off_like_reasons(start_service: Callable[..., ServiceProcess]) -> None:
    with start_service().channel() as channel:
        content = content_pb2_grpc.ContentServiceStub(channel)

        def code(recipe: str, language: str = "en") -> grpc.StatusCode:
            asked = content_pb2.GenerateRequest(recipe=recipe, item_id="i00001", language=language)
            try:
                content.Generate(asked, timeout=20)
            except grpc.RpcError as error:
                return error.code() if "turned off" in str(error.details()) else grpc.StatusCode.UNKNOWN
            return grpc.StatusCode.OK

        assert code("title.v1") is grpc.StatusCode.OK
        turn(channel, recipe="title.v1")
        assert code("title.v1") is grpc.StatusCode.FAILED_PRECONDITION
        assert code("description.v1") is grpc.StatusCode.OK
        turn(channel, language="en")
        assert code("description.v1") is grpc.StatusCode.FAILED_PRECONDITION
        turn(channel, on=True, language="en")
        turn(channel, on=True, recipe="title.v1")
        assert code("title.v1") is grpc.StatusCode.OK
