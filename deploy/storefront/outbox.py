"""Sends the events of shoppers to the service, and keeps those that it cannot take now for the next call.

So a purchase is not lost when the service restarts. It is not counted twice either, because an event keeps its id.
"""

import logging
import uuid
from collections import deque

import grpc

from deploy.storefront.recommender import WRITE_SECONDS, Clock, timestamp
from deploy.storefront.visits import Visit
from recsvc.v1.events_pb2 import Event, WriteEventsRequest
from recsvc.v1.events_pb2_grpc import EventServiceStub

MAX_WAITING_EVENTS = 1_000  # the most that one call takes; a shop that must not lose any keeps them in its database

_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)

_log = logging.getLogger(__name__)


class Outbox:
    """Events that are sent, or wait to be sent. clock: the shop's time."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._events = EventServiceStub(channel)
        self._clock = clock
        self._waiting: deque[Event] = deque(maxlen=MAX_WAITING_EVENTS)

    async def send(self, visit: Visit, *events: Event) -> bool:
        """Stamps and sends the events. The next lists of the visit will include them. False: they wait."""
        moment = timestamp(self._clock())
        for event in events:
            event.event_id, event.user_id = str(uuid.uuid4()), visit.user_id
            event.timestamp.CopyFrom(moment)
        self._waiting.extend(events)
        batch = list(self._waiting)
        self._waiting.clear()
        try:
            answer = await self._events.WriteEvents(WriteEventsRequest(events=batch), timeout=WRITE_SECONDS)
        except grpc.aio.AioRpcError as error:
            _log.warning("the service answered %s: %s", error.code().name, error.details())
            if error.code() in _RETRIED:
                self._waiting.extendleft(reversed(batch))
            return False
        visit.freshness = answer.freshness.get(visit.user_id, visit.freshness)
        return True
