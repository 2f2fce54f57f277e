"""Lines above several items of one cause, and the pronoun of a shop, over a real socket."""

from collections.abc import Callable

import pytest

from recsvc.v1 import recommendation_pb2
from tests.conftest import RedisServer
from tests.integration.clients import Storefront
from tests.service_process import ServiceProcess


def lists_of(shop: Storefront, language: str, **options: bool) -> recommendation_pb2.RecommendResponse:
    request = recommendation_pb2.RecommendRequest(user_id="ann", k=12, context={"language": language})
    request.reason_options.MergeFrom(recommendation_pb2.ReasonOptions(**options))  # type: ignore[arg-type]
    return shop.recommendations.Recommend(request, timeout=20)


@pytest.mark.parametrize(("pronoun", "other"), [("您", "你"), ("你", "您")])
def test_groups_are_answered_only_if_asked_for_in_the_pronoun_of_the_shop(
    start_service: Callable[..., ServiceProcess],
    redis_server: RedisServer,
    bought: tuple[str, ...],
    pronoun: str,
    other: str,
) -> None:
    service = start_service(redis_url=redis_server.url, reason_pronoun=pronoun, namespace=f"shop-{ord(pronoun)}")
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("ann", *bought[:1])
        for language, start in (("en", ""), ("zh", pronoun)):
            plain = lists_of(shop, language)
            assert not plain.reason_groups
            grouped = lists_of(shop, language, group=True)
            assert [item.reason.text for item in grouped.recommendations] == [
                item.reason.text for item in plain.recommendations
            ]
            assert grouped.reason_groups
            reason_of = {item.item_id: item.reason for item in grouped.recommendations}
            for group in grouped.reason_groups:
                assert len(group.item_ids) == len(group.evidence) >= 2
                assert [reason_of[item_id].evidence[0] for item_id in group.item_ids] == list(group.evidence)
                assert {evidence.anchor_item_id for evidence in group.evidence} <= set(bought)
                assert not group.text.endswith((".", "。"))
            texts = [item.reason.text for item in grouped.recommendations]
            texts += [group.text for group in grouped.reason_groups]
            assert not any(other in text for text in texts)
            assert any(start in text for text in texts)
        assert not lists_of(shop, "en", group=True, disabled=True).reason_groups
