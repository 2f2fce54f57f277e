"""Surfaces and placements over the wire, where it matters on two replicas."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from recsvc.model import bundle_files
from recsvc.v1 import events_pb2, reason_pb2
from recsvc.v1 import recommendation_pb2 as pb
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess

PLACEMENTS = """
segments = ["de"]

[placements.home]
max_per_brand = 1
pins = [{ item_id = "i00042", position = 2 }]

[placements.charts]
surface = "popular"
reasons = false

[placements.tiles]
tone = "concise"
"""


@pytest.fixture
def replicas(
    start_replicas: Callable[..., list[ServiceProcess]], redis_server: RedisServer, tmp_path: Path
) -> list[ServiceProcess]:
    placements = tmp_path / "placements.toml"
    placements.write_text(PLACEMENTS)
    return start_replicas(redis_url=redis_server.url, placements=placements)


@pytest.fixture
def shops(replicas: list[ServiceProcess]) -> Iterator[list[Storefront]]:
    with replicas[0].channel() as first, replicas[1].channel() as second:
        yield [Storefront(first), Storefront(second)]


def test_what_sells_at_one_replica_is_popular_at_the_other_and_in_its_segment(shops: list[Storefront]) -> None:
    one, two = shops
    events = [
        events_pb2.Event(event_id=f"e{n}", user_id=f"u{n}", item_id=item, event_type="EVENT_TYPE_PURCHASE", segment=of)
        for n, (item, of) in enumerate((("i00005", "de"), ("i00009", "made up"), ("i00009", "")))
    ]
    one.events.WriteEvents(events_pb2.WriteEventsRequest(events=events), timeout=20)
    eventually(lambda: item_ids(two.recommend("ann", 2, placement="charts")) == ["i00009", "i00005"])
    german = pb.Context(segment="de")
    assert item_ids(two.recommend("ann", 2, placement="charts", context=german))[0] == "i00005"
    with pytest.raises(grpc.RpcError) as refused:
        two.recommend("ann", placement="charts", context=pb.Context(segment="fr"))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_rules_of_a_placement_hold_and_impressions_are_counted(
    shops: list[Storefront], replicas: list[ServiceProcess], small_bundle: Path
) -> None:
    brands = {item.item_id: item.brand for item in bundle_files.load(small_bundle).catalogue.items}
    answer = shops[0].recommend("ann", placement="home")
    shown = item_ids(answer)
    assert shown[1] == "i00042"
    assert len({brands[item_id] for item_id in shown}) == len(shown) == 10
    seen = [
        events_pb2.Event(
            event_id=f"{answer.recommendation_id}/{item_id}",
            user_id="ann",
            item_id=item_id,
            event_type="EVENT_TYPE_IMPRESSION",
            recommendation_id=answer.recommendation_id,
        )
        for item_id in shown
    ]
    shops[1].events.WriteEvents(events_pb2.WriteEventsRequest(events=seen), timeout=20)
    labels = {"placement": "home", "arm": "control", "event_type": "impression"}
    assert replicas[1].metric("recsvc_attributed_events_total", **labels) == 10
    assert not shops[1].recommend("ann").personalised  # to be shown something is not to like it
    with pytest.raises(grpc.RpcError) as refused:
        shops[0].recommend("ann", placement="nowhere")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_reasons_have_the_tone_of_the_placement_or_the_callers(shops: list[Storefront]) -> None:
    shops[0].buy("ann", "i00003", "i00008", "i00042")
    asked: list[tuple[dict[str, Any], int]] = [
        ({}, reason_pb2.TONE_NEUTRAL),
        ({"placement": "tiles"}, reason_pb2.TONE_CONCISE),
        ({"reason_options": pb.ReasonOptions(tone="TONE_WARM")}, reason_pb2.TONE_WARM),
        ({"placement": "tiles", "reason_options": pb.ReasonOptions(tone="TONE_WARM")}, reason_pb2.TONE_WARM),
    ]
    told = []
    for fields, tone in asked:  # one page of one user, whose reasons are kept: by tone
        answer = shops[0].recommend("ann", **fields)
        reasons = [found.reason for found in answer.recommendations if found.HasField("reason")]
        assert reasons
        assert reasons[0].tone == tone
        assert tone == reason_pb2.TONE_WARM or {reason.tone for reason in reasons} == {tone}
        told.append([reason.text for reason in reasons])
    assert told[2] == told[3]
    assert len(set(map(tuple, told))) == 3  # whole pages: a short neutral sentence may be the concise one too
    ranked = pb.RankRequest(user_id="ann", item_ids=["i00005", "i00009"], reasons=True, tone="TONE_CONCISE")
    for found in shops[1].recommendations.Rank(ranked, timeout=20).recommendations:
        assert found.reason.tone in (reason_pb2.TONE_CONCISE, reason_pb2.TONE_UNSPECIFIED)  # or it has no reason


def test_one_replica_goes_on_with_the_pages_that_the_other_began(shops: list[Storefront]) -> None:
    one, two = shops
    expected = item_ids(one.recommend("ann", 60))
    answer = one.recommend("ann", 20, paged=True)
    shown = item_ids(answer)
    two.buy("ann", *shown[:3])
    for shop in (two, one):
        answer = shop.recommend("ann", 20, page_token=answer.next_page_token)
        shown += item_ids(answer)
    assert shown == expected


def test_a_new_item_is_found_by_its_words_and_has_an_audience(shops: list[Storefront]) -> None:
    one, two = shops
    one.buy("ann", "i00003", "i00008")
    one.add("urn", "Whisk and wheelbarrow", brand="Tula")
    search = pb.Context(query="wheelbarrow whisk")
    eventually(
        lambda: item_ids(two.recommend("ann", 1, context=search, surface=pb.SURFACE_SEARCH, reasons=False)) == ["urn"]
    )
    audience = two.recommendations.FindAudience(pb.FindAudienceRequest(item_id="urn", k=10), timeout=20)
    assert [member.user_id for member in audience.members] == ["ann"]
    assert (audience.users, audience.complete) == (1, True)


def test_what_was_bought_can_be_bought_again_and_goes_with_a_cart(shops: list[Storefront]) -> None:
    one, two = shops
    one.buy("ann", "i00003", "i00008")
    assert set(item_ids(two.recommend("ann", surface=pb.SURFACE_BUY_AGAIN))) == {"i00003", "i00008"}
    cart = pb.Context(cart_item_ids=["i00200"], viewed_item_ids=["i00201"])
    lists = [item_ids(two.recommend("eve", context=cart, surface=s)) for s in (pb.SURFACE_CART, pb.SURFACE_SIMILAR)]
    assert all(len(found) == 10 and not {"i00200", "i00201"} & set(found) for found in lists)
    assert lists[0] != lists[1]
