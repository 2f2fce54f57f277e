"""EventService: batches of events, and their result."""

import time

from recsvc.domain.shop import UNDATED, Event, EventType
from recsvc.pipeline.event_intake import WrittenEvents
from recsvc.v1 import events_pb2
from recsvc.wire.fields import Violations, id_problem, microseconds

MAX_EVENTS = 1_000
MAX_QUANTITY = 1_000_000
EARLIEST_EVENT = 631_152_000_000_000  # 1990-01-01 in microseconds since 1970
MAX_EVENT_AHEAD = 86_400_000_000  # microseconds, a day: clocks and time zones differ, but not by years

_EVENT_TYPES = {event_type.value: event_type for event_type in EventType}


def decode_write_events(request: events_pb2.WriteEventsRequest) -> list[Event]:
    """Returns the events in their order. Raises InvalidRequest: then nothing of the batch may be recorded."""
    violations = Violations()
    count = len(request.events)
    if not 1 <= count <= MAX_EVENTS:
        violations.note("events", f"must hold 1 to {MAX_EVENTS} events")
        violations.raise_if_any()
    now = time.time_ns() // 1_000
    events = [_decode_event(event, now, violations.within(f"events[{i}].")) for i, event in enumerate(request.events)]
    violations.raise_if_any()
    return events


def encode_write_events(written: WrittenEvents) -> events_pb2.WriteEventsResponse:
    """Encodes the result of a batch. A freshness token is the version of a user's record in hexadecimal."""
    return events_pb2.WriteEventsResponse(
        acknowledged=written.acknowledged,
        unknown_items=written.unknown_items,
        freshness={user_id: f"{version:x}" for user_id, version in written.versions.items()},
    )


def _decode_event(event: events_pb2.Event, now: int, violations: Violations) -> Event:
    violations.note("event_id", id_problem(event.event_id))
    violations.note("user_id", id_problem(event.user_id))
    violations.note("item_id", id_problem(event.item_id))
    violations.note("order_id", id_problem(event.order_id, required=False))
    violations.note("recommendation_id", id_problem(event.recommendation_id, required=False))
    violations.note("segment", id_problem(event.segment, required=False))
    event_type = _EVENT_TYPES.get(event.event_type)
    if event_type is None:
        violations.note("event_type", "is required and must be a known value")
        event_type = EventType.VIEW  # not used: the violation refuses the batch
    timestamp: int | None = UNDATED
    if event.HasField("timestamp"):
        timestamp = microseconds(event.timestamp)
        if timestamp is None:
            violations.note("timestamp", "must be a valid timestamp")
        elif timestamp < EARLIEST_EVENT:
            violations.note("timestamp", "must not be before 1990")
        elif timestamp > now + MAX_EVENT_AHEAD:
            violations.note("timestamp", "must be at most a day ahead of the server's clock")
    quantity = event.quantity if event.HasField("quantity") else 1.0
    if not 0 < quantity <= MAX_QUANTITY:  # NaN fails too
        violations.note("quantity", f"must be over 0 and at most {MAX_QUANTITY}")
    price = event.price if event.HasField("price") else None
    if price is not None and not 0 <= price < float("inf"):
        violations.note("price", "must be 0 or more, and finite")
    return Event(
        event_id=event.event_id,
        user_id=event.user_id,
        item_id=event.item_id,
        event_type=event_type,
        timestamp=timestamp or UNDATED,
        quantity=quantity,
        price=price,
        order_id=event.order_id,
        recommendation_id=event.recommendation_id,
        segment=event.segment,
    )
