"""EventService: writes what users do."""

import grpc

from recsvc import wire
from recsvc.pipeline.event_intake import EventIntake
from recsvc.v1 import events_pb2 as pb
from recsvc.v1 import events_pb2_grpc


class EventService(events_pb2_grpc.EventServiceServicer):
    """Batches of events."""

    def __init__(self, event_intake: EventIntake) -> None:
        self._event_intake = event_intake

    async def WriteEvents(
        self,
        request: pb.WriteEventsRequest,
        context: "grpc.aio.ServicerContext[pb.WriteEventsRequest, pb.WriteEventsResponse]",
    ) -> pb.WriteEventsResponse:
        return wire.encode_write_events(await self._event_intake.write(wire.decode_write_events(request)))
