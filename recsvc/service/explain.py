"""ExplainService: explains lists to the people who run the shop."""

import grpc

from recsvc import wire
from recsvc.registry.router import Router
from recsvc.v1 import explain_pb2 as pb
from recsvc.v1 import explain_pb2_grpc


class ExplainService(explain_pb2_grpc.ExplainServiceServicer):
    """Looks into lists that were served, or would be."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def WhyNot(
        self,
        request: pb.WhyNotRequest,
        context: "grpc.aio.ServicerContext[pb.WhyNotRequest, pb.WhyNotResponse]",
    ) -> pb.WhyNotResponse:
        return wire.encode_why_not(await self._router.diagnose(*wire.decode_why_not(request)))

    async def ExplainRecommendation(
        self,
        request: pb.ExplainRecommendationRequest,
        context: "grpc.aio.ServicerContext[pb.ExplainRecommendationRequest, pb.ExplainRecommendationResponse]",
    ) -> pb.ExplainRecommendationResponse:
        served, blocks, unchanged = await self._router.explain_list(*wire.decode_explain_recommendation(request))
        return wire.encode_explain_recommendation(served, blocks, unchanged=unchanged)
