"""Where the user vector comes from: Redis, again after a write, after a restart, and without Redis at all."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import users_pb2
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids, reasons
from tests.service_process import ServiceProcess


def vectors(service: ServiceProcess, source: str) -> float:
    return service.metric("recsvc_user_vectors_total", source=source)


def test_the_second_call_takes_the_vector_from_redis(
    start_service: Callable[..., ServiceProcess], bought: tuple[str, ...]
) -> None:
    service = start_service(cache_size=0)  # nothing kept in process: only Redis can know
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("alice", *bought[:5])
        first = shop.recommend("alice", reasons=False)
        eventually(lambda: service.metric("recsvc_store_seconds_count", operation="put_user_vector") >= 1)
        assert (vectors(service, "computed"), vectors(service, "redis")) == (1, 0)
        second = shop.recommend("alice", reasons=False)
        assert (vectors(service, "computed"), vectors(service, "redis")) == (1, 1)
        assert item_ids(first) == item_ids(second)
        assert first.personalised

        shop.buy("alice", bought[5])
        third = shop.recommend("alice", reasons=False)
        assert (vectors(service, "computed"), vectors(service, "redis")) == (2, 1)
        assert [r.score for r in third.recommendations] != [r.score for r in second.recommendations]


def test_vectors_and_histories_survive_a_restart(
    start_service: Callable[..., ServiceProcess], bought: tuple[str, ...], tmp_path: Path
) -> None:
    service = start_service(data_dir=tmp_path / "kept")
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("bob", *bought[:5])
        before = shop.recommend("bob")
        eventually(lambda: service.metric("recsvc_store_seconds_count", operation="put_user_vector") >= 1)
    assert service.stop() == 0

    service = start_service(data_dir=tmp_path / "kept")
    with service.channel() as channel:
        after = Storefront(channel).recommend("bob")
    assert item_ids(after) == item_ids(before)
    assert list(reasons(after)) == list(reasons(before))
    assert (vectors(service, "computed"), vectors(service, "redis")) == (0, 1)


def test_another_process_sees_a_write_at_once(
    start_replicas: Callable[..., list[ServiceProcess]], redis_server: RedisServer, bought: tuple[str, ...]
) -> None:
    one, two = start_replicas(redis_url=redis_server.url)
    with one.channel() as first, two.channel() as second:
        shop_one, shop_two = Storefront(first), Storefront(second)
        shop_one.buy("carol", *bought[:3])
        assert item_ids(shop_two.recommend("carol")) == item_ids(shop_one.recommend("carol"))
        shop_one.buy("carol", *bought[3:6])
        changed = shop_two.recommend("carol")
        assert item_ids(changed) == item_ids(shop_one.recommend("carol"))
        shop_two.users.DeleteUser(users_pb2.DeleteUserRequest(user_id="carol"))
        assert not shop_one.recommend("carol").personalised


def test_with_redis_killed_it_still_answers_and_says_so(
    start_service: Callable[..., ServiceProcess], redis_server: RedisServer, bought: tuple[str, ...]
) -> None:
    service = start_service(redis_url=redis_server.url)
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("dave", *bought[:5])
        healthy = shop.recommend("dave")
        assert not healthy.degraded
        redis_server.kill()

        known = shop.recommend("dave")
        assert list(known.degraded) == [pb.DEGRADATION_STORE_UNAVAILABLE]
        assert item_ids(known) == item_ids(healthy)  # this process has seen dave
        stranger = shop.recommend("erin")
        assert list(stranger.degraded) == [pb.DEGRADATION_STORE_UNAVAILABLE]
        assert len(stranger.recommendations) == 10
        assert not stranger.personalised

        redis_server.start()
        eventually(lambda: not shop.recommend("dave").degraded)


def test_a_hung_redis_degrades_too(
    start_service: Callable[..., ServiceProcess], redis_server: RedisServer, bought: tuple[str, ...]
) -> None:
    service = start_service(redis_url=redis_server.url)
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("frank", *bought[:5])
        redis_server.pause()
        try:
            answer = shop.recommend("frank")
        finally:
            redis_server.resume()
        assert list(answer.degraded) == [pb.DEGRADATION_STORE_UNAVAILABLE]
        assert len(answer.recommendations) == 10
        eventually(lambda: not shop.recommend("frank").degraded)


def test_a_profile_alone_makes_a_list_personal(start_service: Callable[..., ServiceProcess]) -> None:
    service = start_service()
    with service.channel() as channel:
        shop = Storefront(channel)
        stranger = shop.recommend("gina")
        assert not stranger.personalised
        shop.set_profile("gina", about="Loves camping and trail running, and bakes bread at home.")
        known = shop.recommend("gina")
        assert known.personalised
        assert [r.score for r in known.recommendations] != [r.score for r in stranger.recommendations]


def test_metrics_and_logs_tell_what_happened_and_name_nobody(
    start_service: Callable[..., ServiceProcess], bought: tuple[str, ...]
) -> None:
    service = start_service()
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("henrietta-the-secret", *bought[:4])
        shop.recommend("henrietta-the-secret")
    assert service.metric("recsvc_events_total", event_type="purchase") == 4
    method = "/recsvc.v1.RecommendationService/Recommend"
    assert service.metric("recsvc_requests_total", method=method, code="OK") == 1
    with urllib.request.urlopen(f"http://127.0.0.1:{service.metrics_port}/metrics", timeout=10) as page:
        assert b"henrietta" not in page.read()
    assert service.stop() == 0
    assert "henrietta" not in json.dumps(service.log)


def test_filters_hold(start_service: Callable[..., ServiceProcess], bought: tuple[str, ...]) -> None:
    service = start_service()
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("ivan", *bought[:5])
        plain = shop.recommend("ivan", 20)
        excluded = item_ids(plain)[:10]
        filtered = shop.recommend("ivan", 20, filter=pb.Filter(exclude_item_ids=excluded))
        assert not set(item_ids(filtered)) & set(excluded)
        assert item_ids(filtered)[:10] == item_ids(plain)[10:]
        new = shop.recommend("ivan", 50, filter=pb.Filter(repeat_policy=pb.REPEAT_POLICY_EXCLUDE))
        assert len(new.recommendations) == 50
        assert not set(item_ids(new)) & set(bought[:5])
        similar = shop.recommendations.SimilarItems(
            pb.SimilarItemsRequest(item_id=bought[0], k=10, filter=pb.Filter(exclude_item_ids=[bought[1]]))
        )
        neighbours = [found.item_id for found in similar.similar_items]
        assert len(neighbours) == 10
        assert not {bought[0], bought[1]} & set(neighbours)
        scores = [found.score for found in similar.similar_items]
        assert scores == sorted(scores, reverse=True)
