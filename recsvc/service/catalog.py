"""CatalogService: writes item changes to Redis, from where every process reads them."""

from collections.abc import Sequence

import grpc

from recsvc import wire
from recsvc.domain.records import ItemChange, ItemField
from recsvc.model.batched_encoder import BatchedTextEncoder
from recsvc.registry.model_registry import ModelRegistry
from recsvc.store import UserStore
from recsvc.v1 import catalog_pb2 as pb
from recsvc.v1 import catalog_pb2_grpc


class CatalogService(catalog_pb2_grpc.CatalogServiceServicer):
    """Adds, changes and deletes items."""

    def __init__(self, store: UserStore, registry: ModelRegistry, encoder: BatchedTextEncoder) -> None:
        self._items = store.catalogue
        self._registry = registry
        self._encoder = encoder

    async def UpsertItems(
        self,
        request: pb.UpsertItemsRequest,
        context: "grpc.aio.ServicerContext[pb.UpsertItemsRequest, pb.UpsertItemsResponse]",
    ) -> pb.UpsertItemsResponse:
        decoded = wire.decode_upsert_items(request)
        contents = await self._encoder.encode_items([item for item, _ in decoded])
        for (item, changes), content in zip(decoded, contents, strict=True):
            changes.append(ItemChange(item.item_id, ItemField.CONTENT, changes[0].set_time, content))
        await self._items.set([change for _, changes in decoded for change in changes])
        return pb.UpsertItemsResponse()

    async def SetInventory(
        self,
        request: pb.SetInventoryRequest,
        context: "grpc.aio.ServicerContext[pb.SetInventoryRequest, pb.SetInventoryResponse]",
    ) -> pb.SetInventoryResponse:
        changes = wire.decode_set_inventory(request)
        await self._items.set(changes)
        return pb.SetInventoryResponse(unknown_items=self._count_unknown(changes))

    async def DeleteItems(
        self,
        request: pb.DeleteItemsRequest,
        context: "grpc.aio.ServicerContext[pb.DeleteItemsRequest, pb.DeleteItemsResponse]",
    ) -> pb.DeleteItemsResponse:
        changes = wire.decode_delete_items(request)
        await self._items.set(changes)
        return pb.DeleteItemsResponse(unknown_items=self._count_unknown(changes))

    def _count_unknown(self, changes: Sequence[ItemChange]) -> int:
        """How many different items of the changes the active bundle does not know."""
        knows_item = self._registry.current.knows_item
        return sum(not knows_item(item_id) for item_id in {change.item_id for change in changes})
