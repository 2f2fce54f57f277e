"""RecommendationService: decode, ask the recommender, encode."""

import asyncio
from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import recommendation_pb2_grpc

if TYPE_CHECKING:
    from recsvc.recommend import Recommender


class RecommendationService(recommendation_pb2_grpc.RecommendationServiceServicer):
    def __init__(self, recommender: "Recommender") -> None:
        self._recommender = recommender

    async def Recommend(
        self,
        request: pb.RecommendRequest,
        context: "grpc.aio.ServicerContext[pb.RecommendRequest, pb.RecommendResponse]",
    ) -> pb.RecommendResponse:
        remaining = context.time_remaining()  # None without a deadline
        deadline = None if remaining is None else asyncio.get_running_loop().time() + remaining
        query = wire.decode_recommend(request, deadline)
        return wire.encode_recommend(await self._recommender.recommend(query))

    async def SimilarItems(
        self,
        request: pb.SimilarItemsRequest,
        context: "grpc.aio.ServicerContext[pb.SimilarItemsRequest, pb.SimilarItemsResponse]",
    ) -> pb.SimilarItemsResponse:
        return wire.encode_similar_items(await self._recommender.similar_items(*wire.decode_similar_items(request)))
