"""CatalogService: decode, write to Redis; every process, this one too, follows what Redis has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.domain.records import ItemChange, ItemField
from recsvc.v1 import catalog_pb2 as pb
from recsvc.v1 import catalog_pb2_grpc

if TYPE_CHECKING:
    from recsvc.registry.model_registry import ModelRegistry
    from recsvc.store import UserStore


class CatalogService(catalog_pb2_grpc.CatalogServiceServicer):
    def __init__(self, models: "ModelRegistry", store: "UserStore") -> None:
        self._models = models
        self._store = store

    async def UpsertItems(
        self,
        request: pb.UpsertItemsRequest,
        context: "grpc.aio.ServicerContext[pb.UpsertItemsRequest, pb.UpsertItemsResponse]",
    ) -> pb.UpsertItemsResponse:
        decoded = wire.decode_upsert_items(request)
        contents = await self._models.encode_items([item for item, _ in decoded])
        for (item, changes), content in zip(decoded, contents, strict=True):
            changes.append(ItemChange(item.item_id, ItemField.CONTENT, changes[0].set_time, content))
        await self._store.catalogue.set([change for _, changes in decoded for change in changes])
        return pb.UpsertItemsResponse()

    async def SetInventory(
        self,
        request: pb.SetInventoryRequest,
        context: "grpc.aio.ServicerContext[pb.SetInventoryRequest, pb.SetInventoryResponse]",
    ) -> pb.SetInventoryResponse:
        changes = wire.decode_set_inventory(request)
        await self._store.catalogue.set(changes)
        return pb.SetInventoryResponse(unknown_items=self._unknown(changes))

    async def DeleteItems(
        self,
        request: pb.DeleteItemsRequest,
        context: "grpc.aio.ServicerContext[pb.DeleteItemsRequest, pb.DeleteItemsResponse]",
    ) -> pb.DeleteItemsResponse:
        changes = wire.decode_delete_items(request)
        await self._store.catalogue.set(changes)
        return pb.DeleteItemsResponse(unknown_items=self._unknown(changes))

    def _unknown(self, changes: Sequence[ItemChange]) -> int:
        return sum(not self._models.current.knows_item(item_id) for item_id in {change.item_id for change in changes})
