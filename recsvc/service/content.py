"""ContentService: writes copy about items."""

import grpc

from recsvc import wire
from recsvc.registry.router import Router
from recsvc.registry.text_policy import TextPolicy
from recsvc.v1 import content_pb2 as pb
from recsvc.v1 import content_pb2_grpc


class ContentService(content_pb2_grpc.ContentServiceServicer):
    """Drafts by recipe."""

    def __init__(self, router: Router, text_policy: TextPolicy) -> None:
        self._router = router
        self._writer = text_policy.content

    async def Generate(
        self,
        request: pb.GenerateRequest,
        context: "grpc.aio.ServicerContext[pb.GenerateRequest, pb.GenerateResponse]",
    ) -> pb.GenerateResponse:
        return wire.encode_drafts(*await self._router.write_content(wire.decode_generate(request)))

    async def ListRecipes(
        self,
        request: pb.ListRecipesRequest,
        context: "grpc.aio.ServicerContext[pb.ListRecipesRequest, pb.ListRecipesResponse]",
    ) -> pb.ListRecipesResponse:
        return wire.encode_recipes(self._writer.recipes.values())
