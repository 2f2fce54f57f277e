"""CatalogService: decode, write to Redis; every process, this one too, follows what Redis has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.domain import ItemChange
from recsvc.v1 import catalog_pb2 as pb
from recsvc.v1 import catalog_pb2_grpc

if TYPE_CHECKING:
    from recsvc.recommend import Recommender
    from recsvc.store import UserStore


class CatalogService(catalog_pb2_grpc.CatalogServiceServicer):
    def __init__(self, recommender: "Recommender", store: "UserStore") -> None:
        self._recommender = recommender
        self._store = store

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
        return sum(not self._recommender.knows_item(item_id) for item_id in {change.item_id for change in changes})
