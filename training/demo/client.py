"""A client of the service, as a storefront would have one: its own catalogue, and one method for each RPC."""

import datetime as dt
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.domain.shop import Item, Profile
from recsvc.v1 import events_pb2, recommendation_pb2, users_pb2
from recsvc.v1.events_pb2_grpc import EventServiceStub
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from recsvc.v1.users_pb2_grpc import UserServiceStub
from training.backfill import profile_request
from training.data.shop import Shop
from training.fitting.text_features import items_of

CALL_SECONDS = 10.0


@dataclass(frozen=True)
class TimedList:
    """A list of the service, and how long it took to arrive."""

    response: recommendation_pb2.RecommendResponse
    milliseconds: float

    @property
    def item_ids(self) -> list[str]:
        """The recommended items, best first."""
        return [recommended.item_id for recommended in self.response.recommendations]

    @property
    def degraded(self) -> list[str]:
        """The names of the parts that the service had to do without."""
        return [recommendation_pb2.Degradation.Name(number) for number in self.response.degraded]


class Client:
    """Calls the service. Its time is an hour after the last event of the synthetic shop."""

    def __init__(self, channel: grpc.Channel, shop: Shop) -> None:
        self._recommendations = RecommendationServiceStub(channel)
        self._events = EventServiceStub(channel)
        self._users = UserServiceStub(channel)
        self.items: dict[str, Item] = {item.item_id: item for item in items_of(shop.items)}
        self.clock: dt.datetime = shop.events["timestamp"][-1] + dt.timedelta(hours=1)

    def recommend(self, user_id: str, k: int, language: str = "en", *, only_new: bool = False) -> TimedList:
        """Gets a list with reasons. only_new: leaves out what the user has bought before."""
        request = recommendation_pb2.RecommendRequest(
            user_id=user_id,
            k=k,
            context=recommendation_pb2.Context(time=self._now(), language=language),
            filter=recommendation_pb2.Filter(repeat_policy="REPEAT_POLICY_EXCLUDE" if only_new else None),
        )
        started = time.perf_counter()
        response = self._recommendations.Recommend(request, timeout=CALL_SECONDS)
        return TimedList(response, 1000 * (time.perf_counter() - started))

    def list_of(
        self,
        surface: str,
        user_id: str,
        k: int,
        *,
        query: str = "",
        cart_item_ids: Sequence[str] = (),
        viewed_item_ids: Sequence[str] = (),
    ) -> list[str]:
        """The item ids of a surface's list. surface: its name in the contract without the prefix, such as "CART"."""
        request = recommendation_pb2.RecommendRequest(
            user_id=user_id,
            k=k,
            surface=f"SURFACE_{surface}",
            context=recommendation_pb2.Context(
                time=self._now(), query=query, cart_item_ids=cart_item_ids, viewed_item_ids=viewed_item_ids
            ),
            reason_options=recommendation_pb2.ReasonOptions(disabled=True),
        )
        response = self._recommendations.Recommend(request, timeout=CALL_SECONDS)
        return [recommended.item_id for recommended in response.recommendations]

    def similar(self, item_id: str, k: int) -> list[recommendation_pb2.SimilarItem]:
        """The items that are most similar to an item."""
        request = recommendation_pb2.SimilarItemsRequest(item_id=item_id, k=k)
        return list(self._recommendations.SimilarItems(request, timeout=CALL_SECONDS).similar_items)

    def buy(self, user_id: str, item: Item) -> None:
        """Sends a purchase."""
        purchase = events_pb2.Event(
            event_id=str(uuid.uuid4()),
            user_id=user_id,
            item_id=item.item_id,
            event_type=events_pb2.EVENT_TYPE_PURCHASE,
            timestamp=self._now(),
            quantity=1,
            price=item.price,
        )
        self._events.WriteEvents(events_pb2.WriteEventsRequest(events=[purchase]), timeout=CALL_SECONDS)

    def set_profile(self, user_id: str, profile: Profile) -> None:
        """Sends a user's profile."""
        self._users.SetProfile(profile_request(user_id, profile), timeout=CALL_SECONDS)

    def erase(self, user_id: str) -> users_pb2.DeleteUserResponse:
        """Deletes everything that the service knows about a user."""
        request = users_pb2.DeleteUserRequest(user_id=user_id)
        erased: users_pb2.DeleteUserResponse = self._users.DeleteUser(request, timeout=CALL_SECONDS)
        return erased

    def _now(self) -> Timestamp:
        now = Timestamp()
        now.FromDatetime(self.clock)
        return now


@contextmanager
def open_client(target: str, shop: Shop) -> Iterator[Client]:
    """Connects to the service at `target`, host:port."""
    with grpc.insecure_channel(target) as channel:
        yield Client(channel, shop)
