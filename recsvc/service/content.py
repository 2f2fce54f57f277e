"""ContentService: copy about items."""

from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.v1 import content_pb2 as pb
from recsvc.v1 import content_pb2_grpc

if TYPE_CHECKING:
    from recsvc.registry.model_registry import ModelRegistry


class ContentService(content_pb2_grpc.ContentServiceServicer):
    def __init__(self, models: "ModelRegistry") -> None:
        self._models = models

    async def Generate(
        self,
        request: pb.GenerateRequest,
        context: "grpc.aio.ServicerContext[pb.GenerateRequest, pb.GenerateResponse]",
    ) -> pb.GenerateResponse:
        return wire.encode_drafts(*await self._models.write_content(wire.decode_generate(request)))

    async def ListRecipes(
        self,
        request: pb.ListRecipesRequest,
        context: "grpc.aio.ServicerContext[pb.ListRecipesRequest, pb.ListRecipesResponse]",
    ) -> pb.ListRecipesResponse:
        return wire.encode_recipes(self._models.reasons.content.recipes.values())
