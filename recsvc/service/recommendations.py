"""RecommendationService: lists of items for users, and users for an item."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from recsvc import wire
from recsvc.registry.model_registry import ModelRegistry
from recsvc.registry.reason_stream import ReasonStream
from recsvc.registry.router import Router
from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import recommendation_pb2_grpc


class RecommendationService(recommendation_pb2_grpc.RecommendationServiceServicer):
    """Lists. The router picks the bundle of a query; the other calls ask the active one."""

    def __init__(self, router: Router, registry: ModelRegistry, reason_stream: ReasonStream) -> None:
        self._router = router
        self._registry = registry
        self._reason_stream = reason_stream

    async def Recommend(
        self,
        request: pb.RecommendRequest,
        context: "grpc.aio.ServicerContext[pb.RecommendRequest, pb.RecommendResponse]",
    ) -> pb.RecommendResponse:
        query = wire.decode_recommend(request, _deadline(context))
        return wire.encode_recommend(await self._router.recommend(query))

    async def StreamReasons(
        self,
        request: pb.StreamReasonsRequest,
        context: "grpc.aio.ServicerContext[pb.StreamReasonsRequest, pb.StreamReasonsResponse]",
    ) -> AsyncIterator[pb.StreamReasonsResponse]:
        query = wire.decode_stream_reasons(request, _deadline(context))
        served = await self._router.recommend(query)
        yield wire.encode_streamed_list(served)
        listed = {recommendation.item.item_id: recommendation.item for recommendation in served.recommendations}
        async for item_id, reason in self._reason_stream.updates(query, served):
            anchors = (fact.anchor for fact in reason.evidence if fact.anchor is not None)
            # The model may take a minute, and an item may be renamed or deleted meanwhile.
            if self._registry.current.has_as_named((listed[item_id], *anchors)):
                yield wire.encode_reason_update(item_id, reason)

    async def BatchRecommend(
        self,
        request: pb.BatchRecommendRequest,
        context: "grpc.aio.ServicerContext[pb.BatchRecommendRequest, pb.BatchRecommendResponse]",
    ) -> pb.BatchRecommendResponse:
        queries = wire.decode_batch_recommend(request, _deadline(context))
        return wire.encode_batch_recommend(await self._router.recommend_page(queries))

    async def Rank(
        self,
        request: pb.RankRequest,
        context: "grpc.aio.ServicerContext[pb.RankRequest, pb.RankResponse]",
    ) -> pb.RankResponse:
        query = wire.decode_rank(request, _deadline(context))
        return wire.encode_rank(await self._router.recommend(query), request.item_ids)

    async def FindAudience(
        self,
        request: pb.FindAudienceRequest,
        context: "grpc.aio.ServicerContext[pb.FindAudienceRequest, pb.FindAudienceResponse]",
    ) -> pb.FindAudienceResponse:
        recommender = self._registry.current
        query = wire.decode_find_audience(request)
        members, users, complete = await recommender.audience(query, _deadline(context))
        return wire.encode_find_audience(recommender.bundle_id, query, members, users, complete=complete)

    async def SimilarItems(
        self,
        request: pb.SimilarItemsRequest,
        context: "grpc.aio.ServicerContext[pb.SimilarItemsRequest, pb.SimilarItemsResponse]",
    ) -> pb.SimilarItemsResponse:
        return wire.encode_similar_items(
            await self._registry.current.similar_items(*wire.decode_similar_items(request))
        )


def _deadline(context: "grpc.aio.ServicerContext[Any, Any]") -> float | None:
    """The caller's deadline, in event-loop time; None without one."""
    remaining = context.time_remaining()
    return None if remaining is None else asyncio.get_running_loop().time() + remaining
