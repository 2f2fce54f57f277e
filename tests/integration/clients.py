"""A storefront in a few lines: what the integration tests call the service with."""

import time as clock
from collections.abc import Callable, Iterable

import grpc
import polars as pl
from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.v1 import (
    catalog_pb2,
    catalog_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    recommendation_pb2,
    recommendation_pb2_grpc,
    users_pb2,
    users_pb2_grpc,
)

BATCH = 1_000


class Storefront:
    """Blocking calls over one real connection."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.recommendations = recommendation_pb2_grpc.RecommendationServiceStub(channel)
        self.events = events_pb2_grpc.EventServiceStub(channel)
        self.users = users_pb2_grpc.UserServiceStub(channel)
        self.catalog = catalog_pb2_grpc.CatalogServiceStub(channel)

    def recommend(
        self, user_id: str, k: int = 10, time: int | None = None, reasons: bool = True, **fields: object
    ) -> recommendation_pb2.RecommendResponse:
        request = recommendation_pb2.RecommendRequest(user_id=user_id, k=k, **fields)  # type: ignore[arg-type]
        request.reason_options.disabled = not reasons
        if time is not None:
            request.context.time.CopyFrom(timestamp(time))
        return self.recommendations.Recommend(request, timeout=20)

    def buy(self, user_id: str, *item_ids: str) -> events_pb2.WriteEventsResponse:
        events = [
            events_pb2.Event(
                event_id=f"{user_id}/{item_id}", user_id=user_id, item_id=item_id, event_type="EVENT_TYPE_PURCHASE"
            )
            for item_id in item_ids
        ]
        return self.events.WriteEvents(events_pb2.WriteEventsRequest(events=events), timeout=20)

    def act_on(self, answer: recommendation_pb2.RecommendResponse, user_id: str, item_id: str, event_type: str) -> None:
        """Views or buys an item of a list, and says which list."""
        event = events_pb2.Event(
            event_id=f"{answer.recommendation_id}/{item_id}/{event_type}",
            user_id=user_id,
            item_id=item_id,
            event_type=f"EVENT_TYPE_{event_type}",  # type: ignore[arg-type]
            recommendation_id=answer.recommendation_id,
        )
        self.events.WriteEvents(events_pb2.WriteEventsRequest(events=[event]), timeout=20)

    def add(self, item_id: str, title: str, **fields: object) -> None:
        item = catalog_pb2.CatalogItem(item_id=item_id, title=title, **fields)  # type: ignore[arg-type]
        self.catalog.UpsertItems(catalog_pb2.UpsertItemsRequest(items=[item]), timeout=20)

    def set_inventory(self, item_id: str, **fields: object) -> catalog_pb2.SetInventoryResponse:
        request = catalog_pb2.SetInventoryRequest(
            inventory=[catalog_pb2.Inventory(item_id=item_id, **fields)]  # type: ignore[arg-type]
        )
        return self.catalog.SetInventory(request, timeout=20)

    def delete(self, *item_ids: str, restore: bool = False) -> catalog_pb2.DeleteItemsResponse:
        request = catalog_pb2.DeleteItemsRequest(item_ids=item_ids, restore=restore)
        return self.catalog.DeleteItems(request, timeout=20)

    def set_profile(self, user_id: str, **attributes: str) -> None:
        named = [users_pb2.ProfileAttribute(name=name, value=value) for name, value in attributes.items()]
        profile = users_pb2.Profile(attributes=named)
        self.users.SetProfile(users_pb2.SetProfileRequest(user_id=user_id, profile=profile), timeout=20)

    def write_history(self, events: pl.DataFrame) -> None:
        """Sends the rows of an events table in their order."""
        messages = [
            events_pb2.Event(
                event_id=f"line-{line}",
                user_id=row["user_id"],
                item_id=row["item_id"],
                event_type=f"EVENT_TYPE_{row['event_type'].upper()}",  # type: ignore[arg-type]
                timestamp=timestamp(int(row["timestamp"].timestamp() * 1_000_000)),
                quantity=row["quantity"] or 1.0,
            )
            for line, row in enumerate(events.iter_rows(named=True))
        ]
        for start in range(0, len(messages), BATCH):
            batch = events_pb2.WriteEventsRequest(events=messages[start : start + BATCH])
            self.events.WriteEvents(batch, timeout=60)


def item_ids(response: recommendation_pb2.RecommendResponse) -> list[str]:
    return [recommendation.item_id for recommendation in response.recommendations]


def reasons(response: recommendation_pb2.RecommendResponse) -> Iterable[str]:
    return (found.reason.text for found in response.recommendations if found.HasField("reason"))


def timestamp(microseconds: int) -> Timestamp:
    return Timestamp(seconds=microseconds // 1_000_000, nanos=microseconds % 1_000_000 * 1_000)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + 20
    while not holds():
        assert clock.monotonic() < deadline
        clock.sleep(0.02)
