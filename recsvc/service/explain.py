"""ExplainService: why a list is as it is."""

from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.v1 import explain_pb2 as pb
from recsvc.v1 import explain_pb2_grpc

if TYPE_CHECKING:
    from recsvc.registry.model_registry import ModelRegistry


class ExplainService(explain_pb2_grpc.ExplainServiceServicer):
    def __init__(self, models: "ModelRegistry") -> None:
        self._models = models

    async def WhyNot(
        self,
        request: pb.WhyNotRequest,
        context: "grpc.aio.ServicerContext[pb.WhyNotRequest, pb.WhyNotResponse]",
    ) -> pb.WhyNotResponse:
        return wire.encode_why_not(await self._models.diagnose(*wire.decode_why_not(request)))

    async def ExplainRecommendation(
        self,
        request: pb.ExplainRecommendationRequest,
        context: "grpc.aio.ServicerContext[pb.ExplainRecommendationRequest, pb.ExplainRecommendationResponse]",
    ) -> pb.ExplainRecommendationResponse:
        explained = await self._models.explain_list(*wire.decode_explain_recommendation(request))
        return wire.encode_explain_recommendation(*explained)
