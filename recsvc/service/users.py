"""UserService: profiles and tastes, the export of a user's data, and erasure."""

import grpc

from recsvc import wire
from recsvc.model.batched_encoder import BatchedTextEncoder
from recsvc.registry.model_registry import ModelRegistry
from recsvc.store import UserStore, hash_of
from recsvc.v1 import users_pb2 as pb
from recsvc.v1 import users_pb2_grpc


class UserService(users_pb2_grpc.UserServiceServicer):
    """What is stored of users."""

    def __init__(self, store: UserStore, registry: ModelRegistry, encoder: BatchedTextEncoder) -> None:
        self._store = store
        self._registry = registry
        self._encoder = encoder

    async def SetProfile(
        self,
        request: pb.SetProfileRequest,
        context: "grpc.aio.ServicerContext[pb.SetProfileRequest, pb.SetProfileResponse]",
    ) -> pb.SetProfileResponse:
        user_id, profile = wire.decode_set_profile(request)
        embedding = None if profile is None else await self._encoder.encode_profile(profile)
        await self._store.set_profile(user_id, profile, embedding)
        return pb.SetProfileResponse()

    async def ExportUser(
        self,
        request: pb.ExportUserRequest,
        context: "grpc.aio.ServicerContext[pb.ExportUserRequest, pb.ExportUserResponse]",
    ) -> pb.ExportUserResponse:
        page = wire.decode_export_user(request)
        return wire.encode_export_user(await self._store.export_user(page.user_id), page)

    async def DeleteUser(
        self,
        request: pb.DeleteUserRequest,
        context: "grpc.aio.ServicerContext[pb.DeleteUserRequest, pb.DeleteUserResponse]",
    ) -> pb.DeleteUserResponse:
        user_id = wire.decode_user_id(request)
        erasure = await self._store.delete_user(user_id)
        await self._registry.forget({hash_of(user_id)})
        return wire.encode_erasure(erasure)

    async def GetErasure(
        self,
        request: pb.GetErasureRequest,
        context: "grpc.aio.ServicerContext[pb.GetErasureRequest, pb.GetErasureResponse]",
    ) -> pb.GetErasureResponse:
        bundle_id, in_use = await self._registry.first_bundle_without(wire.decode_get_erasure(request))
        return pb.GetErasureResponse(first_bundle_id=bundle_id, in_use=in_use)

    async def GetTasteProfile(
        self,
        request: pb.GetTasteProfileRequest,
        context: "grpc.aio.ServicerContext[pb.GetTasteProfileRequest, pb.GetTasteProfileResponse]",
    ) -> pb.GetTasteProfileResponse:
        return wire.encode_taste_profile(await self._registry.current.taste_profile(wire.decode_user_id(request)))

    async def UpdateTasteProfile(
        self,
        request: pb.UpdateTasteProfileRequest,
        context: "grpc.aio.ServicerContext[pb.UpdateTasteProfileRequest, pb.UpdateTasteProfileResponse]",
    ) -> pb.UpdateTasteProfileResponse:
        taste = await self._store.update_taste(*wire.decode_update_taste(request), wire.MAX_TASTE)
        return wire.encode_taste(taste)
