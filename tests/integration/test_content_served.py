"""Copy about items over the wire: of what was trained, of what is added while running, and of what is gone."""

from collections.abc import Callable
from typing import Any

import grpc

from recsvc.v1 import catalog_pb2, reason_pb2
from recsvc.v1 import content_pb2 as pb
from recsvc.v1.content_pb2_grpc import ContentServiceStub
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually
from tests.service_process import ServiceProcess

ATTRIBUTES = {"Colour": "Navy Blue", "Material": "Solid Oak", "Style": "Scandinavian", "Use": "Small Kitchens"}


def code_of(content: ContentServiceStub, **asked: Any) -> tuple[grpc.StatusCode, str]:
    try:
        content.Generate(pb.GenerateRequest(**asked), timeout=10)
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


def test_copy_is_written_of_items_old_and_new_and_needs_no_redis(
    start_service: Callable[..., ServiceProcess], redis_server: RedisServer
) -> None:
    process = start_service(redis_url=redis_server.url)
    with process.channel() as channel:
        shop, content = Storefront(channel), ContentServiceStub(channel)
        known = content.ListRecipes(pb.ListRecipesRequest(), timeout=10).recipes
        assert all(recipe.human_review_required and list(recipe.languages) == ["en", "zh"] for recipe in known)
        assert [recipe.recipe for recipe in known if recipe.addresses_audience] == ["campaign.v1"]
        for recipe in known:
            asked = pb.GenerateRequest(recipe=recipe.recipe, item_id="i00001", drafts=3)
            answer = content.Generate(asked, timeout=10)
            assert 1 <= len(answer.drafts) <= 3
            for draft in answer.drafts:
                assert draft.human_review_required
                assert (draft.provenance.recipe, draft.provenance.verified) == (recipe.recipe, True)
                assert draft.provenance.policy_version.startswith("reason-policy.")
                facts = [fact for part in draft.parts for fact in part.facts]
                assert facts
                assert {fact.strength for fact in facts} == {reason_pb2.STRENGTH_NEUTRAL}
                assert all(part.text in draft.text for part in draft.parts)
            assert content.Generate(asked, timeout=10) == answer

        new: dict[str, Any] = {"recipe": "description.v1", "item_id": "bench", "language": "en-GB"}
        assert code_of(content, **new) == (grpc.StatusCode.NOT_FOUND, "item 'bench' is not in the catalogue")
        item = catalog_pb2.CatalogItem(item_id="bench", title="Lidded Storage Bench", categories="Home > Benches")
        for name, value in ATTRIBUTES.items():
            item.attributes.add(name=name, value=value)
        shop.catalog.UpsertItems(catalog_pb2.UpsertItemsRequest(items=[item]), timeout=20)
        eventually(lambda: code_of(content, **new)[0] is grpc.StatusCode.OK)
        (draft,) = content.Generate(pb.GenerateRequest(**new), timeout=10).drafts
        assert "Lidded Storage Bench" in draft.text
        for value in ("navy blue", "solid oak", "Scandinavian", "small kitchens"):
            assert value in draft.text
        kinds = {fact.kind for part in draft.parts for fact in part.facts}
        assert {reason_pb2.EVIDENCE_KIND_NAME, reason_pb2.EVIDENCE_KIND_ATTRIBUTE} <= kinds

        campaign: dict[str, Any] = {"recipe": "campaign.v1", "item_id": "bench"}
        asked = pb.GenerateRequest(**campaign, audience=pb.ContentAudience(category="Home"))
        (draft,) = content.Generate(asked, timeout=10).drafts
        addressed = draft.parts[0].facts[0]
        assert addressed.kind == reason_pb2.EVIDENCE_KIND_AUDIENCE
        assert (addressed.name, addressed.value) == ("category", "Home")

        shop.delete("bench")
        eventually(lambda: code_of(content, **new)[0] is grpc.StatusCode.NOT_FOUND)

        bare = catalog_pb2.CatalogItem(item_id="bare", title="12345")
        shop.catalog.UpsertItems(catalog_pb2.UpsertItemsRequest(items=[bare]), timeout=20)
        eventually(lambda: code_of(content, recipe="title.v1", item_id="bare")[0] is not grpc.StatusCode.NOT_FOUND)
        redis_server.kill()
        code, told = code_of(content, recipe="title.v1", item_id="bare")
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert told == "too little can be said of item 'bare' for title.v1: give it a title and attributes"
        code, told = code_of(content, recipe="poem.v1", item_id="i00001")
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "campaign.v1, description.v1, keywords.v1, selling_points.v1, social_post.v1, title.v1" in told
        audience = pb.ContentAudience(brand="Nobody")
        code, told = code_of(content, recipe="campaign.v1", item_id="i00001", audience=audience)
        assert (code, told) == (grpc.StatusCode.INVALID_ARGUMENT, "audience the catalogue has no such brand")
        assert code_of(content, recipe="description.v1", item_id="i00001")[0] is grpc.StatusCode.OK
