"""What a shop says of its items holds on every replica, in every list, a moment later and after a restart."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import grpc
import pytest

from recsvc.model import bundle_files as bundles
from recsvc.v1 import recommendation_pb2 as pb
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess


@pytest.fixture
def replicas(start_replicas: Callable[..., list[ServiceProcess]], redis_server: RedisServer) -> list[ServiceProcess]:
    return start_replicas(redis_url=redis_server.url)


def test_out_of_stock_and_deleted_items_leave_every_list_of_every_replica(
    replicas: list[ServiceProcess], start_service: Callable[..., ServiceProcess], redis_server: RedisServer
) -> None:
    with replicas[0].channel() as first, replicas[1].channel() as second:
        one, two = Storefront(first), Storefront(second)
        sold_out, deleted, stays, *_ = item_ids(one.recommend("ann"))
        similar = pb.SimilarItemsRequest(item_id=stays, k=100)
        one.set_inventory(sold_out, stock=0)
        two.delete(deleted)

        def gone(shop: Storefront) -> bool:
            shown = set(item_ids(shop.recommend("ann", 100)))
            shown |= {found.item_id for found in shop.recommendations.SimilarItems(similar).similar_items}
            return not shown & {sold_out, deleted}

        def back(shop: Storefront) -> bool:
            return item_ids(shop.recommend("ann"))[:2] == [sold_out, deleted]

        for shop in (one, two):
            eventually(partial(gone, shop))
        assert len(one.recommend("ann", 100).recommendations) == 100
        assert item_ids(one.recommend("ann"))[0] == stays

        third = start_service(redis_url=redis_server.url)
        with third.channel() as channel:
            assert gone(Storefront(channel))  # from its first answer on

        two.set_inventory(sold_out, stock=5)
        one.delete(deleted, restore=True)
        for shop in (one, two):
            eventually(partial(back, shop))
    assert all(replica.metric("recsvc_gate_violations_total") == 0 for replica in replicas)


def test_a_change_is_seen_by_the_other_replica_within_the_time_promised(replicas: list[ServiceProcess]) -> None:
    with replicas[0].channel() as first, replicas[1].channel() as second:
        one, two = Storefront(first), Storefront(second)
        best = item_ids(two.recommend("ann"))[0]
        one.set_inventory(best, stock=0)
        start = time.monotonic()
        eventually(lambda: item_ids(two.recommend("ann"))[0] != best)
        assert time.monotonic() - start < 10  # a busy machine; tests/benchmarks has the figure


def test_a_late_message_undoes_nothing(replicas: list[ServiceProcess]) -> None:
    with replicas[0].channel() as first, replicas[1].channel() as second:
        one, two = Storefront(first), Storefront(second)
        best = item_ids(one.recommend("ann"))[0]
        now = int(time.time())
        one.set_inventory(best, stock=0, set_time={"seconds": now})
        two.set_inventory(best, stock=9, set_time={"seconds": now - 1})
        eventually(lambda: best not in item_ids(two.recommend("ann", 100)))
        one.set_inventory(best, price=3.5, set_time={"seconds": now - 1})  # another field
        in_price = pb.Filter(min_price=3.5, max_price=3.5)
        two.set_inventory(best, stock=1)
        eventually(lambda: best in item_ids(two.recommend("ann", 100, filter=in_price)))


def test_with_redis_away_lists_obey_what_was_known(replicas: list[ServiceProcess], redis_server: RedisServer) -> None:
    with replicas[0].channel() as first:
        shop = Storefront(first)
        best = item_ids(shop.recommend("ann"))[0]
        shop.set_inventory(best, stock=0)
        eventually(lambda: best not in item_ids(shop.recommend("ann", 100)))
        redis_server.kill()
        assert best not in item_ids(shop.recommend("ann", 100))
        eventually(lambda: replicas[0].metric("recsvc_catalogue_behind") == 1)
        redis_server.start()
        shop.set_inventory(best, stock=1)
        eventually(lambda: item_ids(shop.recommend("ann"))[0] == best)
        eventually(lambda: replicas[0].metric("recsvc_catalogue_behind") == 0)


def test_a_new_item_is_recommended_by_every_replica_and_after_a_restart(
    replicas: list[ServiceProcess],
    start_service: Callable[..., ServiceProcess],
    redis_server: RedisServer,
    small_bundle: Path,
    bought: tuple[str, ...],
) -> None:
    catalogue = bundles.load(small_bundle).catalogue
    twin = catalogue.items[catalogue.rows([bought[0]])[0]]  # the new item is much like what the shopper buys
    words = {"title": twin.title, "brand": twin.brand, "categories": " > ".join(twin.categories)}
    with replicas[0].channel() as first, replicas[1].channel() as second:
        one, two = Storefront(first), Storefront(second)
        one.buy("ann", *bought[:4])
        # An event of an item that nobody knows yet is kept, and joined when it is known.
        assert two.buy("ann", "brand new").unknown_items == 1
        assert "brand new" not in item_ids(two.recommend("ann", 100))
        two.set_inventory("brand new", stock=0)
        one.add("brand new", price=4.0, **words)
        other = pb.Filter(repeat_policy=pb.REPEAT_POLICY_ALLOW)

        def listed(shop: Storefront) -> bool:
            return "brand new" in item_ids(shop.recommend("ann", 100, filter=other))

        near = pb.SimilarItemsRequest(item_id=bought[0], k=100)
        two.set_inventory("brand new", stock=3)
        for shop in (one, two):
            eventually(partial(listed, shop))
            assert "brand new" in [n.item_id for n in shop.recommendations.SimilarItems(near, timeout=20).similar_items]
        assert one.buy("bob", "brand new").unknown_items == 0
        assert one.recommend("bob").personalised
        found = two.recommend("ann", 100, filter=pb.Filter(min_price=4.0, max_price=4.0, brands=[twin.brand]))
        assert "brand new" in item_ids(found)
        ranked = item_ids(one.recommend("ann", 100))
        assert ranked == item_ids(two.recommend("ann", 100))

        third = start_service(redis_url=redis_server.url)
        with third.channel() as channel:
            assert item_ids(Storefront(channel).recommend("ann", 100)) == ranked

        one.add("brand new", "Something else entirely", brand="Other")
        eventually(lambda: "brand new" in item_ids(two.recommend("ann", 5, filter=pb.Filter(brands=["Other"]))))
        one.delete("brand new")
        eventually(lambda: "brand new" not in item_ids(two.recommend("ann", 100)))


def test_lists_are_answered_while_items_are_added(replicas: list[ServiceProcess]) -> None:
    with replicas[0].channel() as first:
        shop = Storefront(first)
        for n in range(30):
            shop.add(f"new {n}", f"A new thing, number {n}")
            assert len(shop.recommend(f"user {n % 3}").recommendations) == 10
        ask = pb.SimilarItemsRequest(item_id="new 29", k=100)

        def added() -> set[str]:
            try:
                answer = shop.recommendations.SimilarItems(ask, timeout=20)
            except grpc.RpcError:
                return set()
            return {found.item_id for found in answer.similar_items if found.item_id.startswith("new ")}

        eventually(lambda: len(added()) == 29)
