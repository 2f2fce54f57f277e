"""RecommendationService: decode, ask the recommender that answers now, encode."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc

from recsvc import wire
from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import recommendation_pb2_grpc

if TYPE_CHECKING:
    from recsvc.registry.model_registry import ModelRegistry


class RecommendationService(recommendation_pb2_grpc.RecommendationServiceServicer):
    def __init__(self, models: "ModelRegistry") -> None:
        self._models = models

    async def Recommend(
        self,
        request: pb.RecommendRequest,
        context: "grpc.aio.ServicerContext[pb.RecommendRequest, pb.RecommendResponse]",
    ) -> pb.RecommendResponse:
        query = wire.decode_recommend(request, _deadline(context))
        return wire.encode_recommend(await self._models.recommend(query))

    async def StreamReasons(
        self,
        request: pb.StreamReasonsRequest,
        context: "grpc.aio.ServicerContext[pb.StreamReasonsRequest, pb.StreamReasonsResponse]",
    ) -> AsyncIterator[pb.StreamReasonsResponse]:
        query = wire.decode_stream_reasons(request, _deadline(context))
        answer = await self._models.recommend(query)
        yield wire.encode_streamed_list(answer)
        async for item_id, reason in self._models.reasons.updates(query, answer):
            yield wire.encode_reason_update(item_id, reason)

    async def BatchRecommend(
        self,
        request: pb.BatchRecommendRequest,
        context: "grpc.aio.ServicerContext[pb.BatchRecommendRequest, pb.BatchRecommendResponse]",
    ) -> pb.BatchRecommendResponse:
        queries = wire.decode_batch_recommend(request, _deadline(context))
        return wire.encode_batch_recommend(await self._models.recommend_page(queries))

    async def Rank(
        self,
        request: pb.RankRequest,
        context: "grpc.aio.ServicerContext[pb.RankRequest, pb.RankResponse]",
    ) -> pb.RankResponse:
        query = wire.decode_rank(request, _deadline(context))
        return wire.encode_rank(await self._models.recommend(query), request.item_ids)

    async def FindAudience(
        self,
        request: pb.FindAudienceRequest,
        context: "grpc.aio.ServicerContext[pb.FindAudienceRequest, pb.FindAudienceResponse]",
    ) -> pb.FindAudienceResponse:
        recommender = self._models.current
        found = await recommender.audience(*wire.decode_find_audience(request), _deadline(context))
        return wire.encode_find_audience(recommender.bundle_id, *found)

    async def SimilarItems(
        self,
        request: pb.SimilarItemsRequest,
        context: "grpc.aio.ServicerContext[pb.SimilarItemsRequest, pb.SimilarItemsResponse]",
    ) -> pb.SimilarItemsResponse:
        return wire.encode_similar_items(await self._models.current.similar_items(*wire.decode_similar_items(request)))


def _deadline(context: "grpc.aio.ServicerContext[Any, Any]") -> float | None:
    """In the event loop's time; None when the caller set none."""
    remaining = context.time_remaining()
    return None if remaining is None else asyncio.get_running_loop().time() + remaining
