"""ModelService: which bundles there are, and which of them answers."""

from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.v1 import models_pb2 as pb
from recsvc.v1 import models_pb2_grpc

if TYPE_CHECKING:
    from recsvc.registry.model_registry import ModelRegistry


class ModelService(models_pb2_grpc.ModelServiceServicer):
    def __init__(self, models: "ModelRegistry") -> None:
        self._models = models

    async def ListBundles(
        self,
        request: pb.ListBundlesRequest,
        context: "grpc.aio.ServicerContext[pb.ListBundlesRequest, pb.ListBundlesResponse]",
    ) -> pb.ListBundlesResponse:
        return wire.encode_bundles(*await self._models.list_bundles())

    async def LoadBundle(
        self,
        request: pb.LoadBundleRequest,
        context: "grpc.aio.ServicerContext[pb.LoadBundleRequest, pb.LoadBundleResponse]",
    ) -> pb.LoadBundleResponse:
        await self._models.load(wire.decode_bundle_id(request))
        return pb.LoadBundleResponse()

    async def ActivateBundle(
        self,
        request: pb.ActivateBundleRequest,
        context: "grpc.aio.ServicerContext[pb.ActivateBundleRequest, pb.ActivateBundleResponse]",
    ) -> pb.ActivateBundleResponse:
        previous = await self._models.activate(wire.decode_bundle_id(request))
        return pb.ActivateBundleResponse(previous_bundle_id=previous)

    async def RollBack(
        self,
        request: pb.RollBackRequest,
        context: "grpc.aio.ServicerContext[pb.RollBackRequest, pb.RollBackResponse]",
    ) -> pb.RollBackResponse:
        return pb.RollBackResponse(bundle_id=await self._models.roll_back())
