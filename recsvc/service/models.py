"""ModelService: lists, loads and activates bundles."""

import grpc

from recsvc import wire
from recsvc.registry.model_registry import ModelRegistry
from recsvc.v1 import models_pb2 as pb
from recsvc.v1 import models_pb2_grpc


class ModelService(models_pb2_grpc.ModelServiceServicer):
    """The bundles of all server processes."""

    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry

    async def ListBundles(
        self,
        request: pb.ListBundlesRequest,
        context: "grpc.aio.ServicerContext[pb.ListBundlesRequest, pb.ListBundlesResponse]",
    ) -> pb.ListBundlesResponse:
        return wire.encode_bundles(*await self._registry.list_bundles())

    async def LoadBundle(
        self,
        request: pb.LoadBundleRequest,
        context: "grpc.aio.ServicerContext[pb.LoadBundleRequest, pb.LoadBundleResponse]",
    ) -> pb.LoadBundleResponse:
        await self._registry.load(wire.decode_bundle_id(request))
        return pb.LoadBundleResponse()

    async def ActivateBundle(
        self,
        request: pb.ActivateBundleRequest,
        context: "grpc.aio.ServicerContext[pb.ActivateBundleRequest, pb.ActivateBundleResponse]",
    ) -> pb.ActivateBundleResponse:
        previous = await self._registry.activate(wire.decode_bundle_id(request))
        return pb.ActivateBundleResponse(previous_bundle_id=previous)

    async def RollBack(
        self,
        request: pb.RollBackRequest,
        context: "grpc.aio.ServicerContext[pb.RollBackRequest, pb.RollBackResponse]",
    ) -> pb.RollBackResponse:
        return pb.RollBackResponse(bundle_id=await self._registry.roll_back())
