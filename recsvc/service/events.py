"""EventService: decode, write to Redis, say what became of the batch."""

from collections import Counter
from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.pipeline import list_id as attribution
from recsvc.runtime.metrics import EVENTS
from recsvc.v1 import events_pb2 as pb
from recsvc.v1 import events_pb2_grpc

if TYPE_CHECKING:
    from recsvc.registry.model_registry import ModelRegistry
    from recsvc.store import UserStore


class EventService(events_pb2_grpc.EventServiceServicer):
    def __init__(self, models: "ModelRegistry", store: "UserStore") -> None:
        self._models = models
        self._store = store

    async def WriteEvents(
        self,
        request: pb.WriteEventsRequest,
        context: "grpc.aio.ServicerContext[pb.WriteEventsRequest, pb.WriteEventsResponse]",
    ) -> pb.WriteEventsResponse:
        events = wire.decode_write_events(request)
        placements = self._models.placements
        versions = await self._store.write_events(placements.segmented(events))
        attribution.count(events, placements.names, self._models.bundle_ids)
        for event_type, count in Counter(event.event_type for event in events).items():
            EVENTS.labels(event_type.name.lower()).inc(count)
        unknown_items = sum(not self._models.current.knows_item(event.item_id) for event in events)
        return wire.encode_write_events(len(events), unknown_items, versions)
