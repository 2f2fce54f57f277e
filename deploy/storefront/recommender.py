"""Calls the service, one method for each RPC. A call that fails costs a row of a page, never the page."""

import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.storefront.tracing import client_interceptors
from deploy.storefront.visits import Visit
from recsvc.v1 import recommendation_pb2, users_pb2
from recsvc.v1.recommendation_pb2 import Context, Filter, RecommendRequest, RecommendResponse
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from recsvc.v1.users_pb2_grpc import UserServiceStub

# How long a page waits for its lists by default.
LIST_SECONDS = 1.5
WRITE_SECONDS = 3.0
# How soon the service is called again after it was not available.
RECONNECT_MILLISECONDS = 1_000
MAX_RANKED_ITEMS = 1_000  # the most that Rank takes
MAX_REASONED_ITEMS = 100  # the most that Rank gives reasons for

Clock = Callable[[], dt.datetime]
Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """One list of a page.

    Attributes:
        surface: Its name in the contract, without the prefix.
        k: How many items.
        context: What the service needs beyond the visit.
        repeat_policy: Its name in the contract. None: the default.
    """

    surface: str
    k: int
    context: dict[str, Any] = field(default_factory=dict)
    repeat_policy: str | None = None


class Recommender:
    """Fetches lists, and reads and writes tastes.

    Args:
        channel: The connection to the service.
        clock: The shop's time. None: the service's own time, which is right for every shop with events up to today.
        patience: How long a list may take, in seconds.
    """

    def __init__(self, channel: grpc.aio.Channel, clock: Clock | None = None, patience: float = LIST_SECONDS) -> None:
        self._recommendations = RecommendationServiceStub(channel)
        self._users = UserServiceStub(channel)
        self._clock = clock
        self._patience = patience

    async def recommend(self, visit: Visit, wanted: ListRequest) -> RecommendResponse | None:
        """One list. None if the service does not answer."""
        return await _answer(self._recommendations.Recommend(self._request(visit, wanted), timeout=self._patience))

    async def page(self, visit: Visit, *wanted: ListRequest) -> Sequence[RecommendResponse | None]:
        """The lists of one page. No item is in two of them."""
        batch = recommendation_pb2.BatchRecommendRequest(requests=[self._request(visit, one) for one in wanted])
        answer = await _answer(self._recommendations.BatchRecommend(batch, timeout=self._patience))
        return [None] * len(wanted) if answer is None else answer.responses

    async def ordered(self, visit: Visit, item_ids: Sequence[str]) -> recommendation_pb2.RankResponse | None:
        """Orders items that the shop chose, best first."""
        request = recommendation_pb2.RankRequest(
            user_id=visit.user_id,
            item_ids=item_ids[:MAX_RANKED_ITEMS],
            context=self._context(visit, {}),
            reasons=len(item_ids) <= MAX_REASONED_ITEMS,
            min_freshness=visit.freshness,
        )
        return await _answer(self._recommendations.Rank(request, timeout=self._patience))

    async def taste(self, visit: Visit) -> users_pb2.GetTasteProfileResponse | None:
        """What the service knows about the shopper's taste. None if it does not answer."""
        request = users_pb2.GetTasteProfileRequest(user_id=visit.user_id)
        return await _answer(self._users.GetTasteProfile(request, timeout=self._patience))

    async def update_taste(
        self, visit: Visit, *, add: users_pb2.Taste | None = None, remove: users_pb2.Taste | None = None
    ) -> bool:
        """Adds or removes what the shopper said about their taste. False if the service does not answer."""
        request = users_pb2.UpdateTasteProfileRequest(user_id=visit.user_id, add=add, remove=remove)
        return await _answer(self._users.UpdateTasteProfile(request, timeout=WRITE_SECONDS)) is not None

    def _request(self, visit: Visit, wanted: ListRequest) -> RecommendRequest:
        return RecommendRequest(
            user_id=visit.user_id,
            k=wanted.k,
            surface=f"SURFACE_{wanted.surface}",
            context=self._context(visit, wanted.context),
            filter=Filter(repeat_policy=wanted.repeat_policy),
            min_freshness=visit.freshness,
        )

    def _context(self, visit: Visit, more: dict[str, Any]) -> Context:
        # Items in the cart are not recommended, and items that go well with them rank higher.
        context = Context(language=visit.language, cart_item_ids=list(visit.cart), **more)
        if self._clock is not None:
            context.time.CopyFrom(timestamp(self._clock()))
        return context


def open_channel(target: str) -> grpc.aio.Channel:
    """Opens a channel in the running event loop. It connects on first use, and reconnects when the service is back."""
    options = [("grpc.max_reconnect_backoff_ms", RECONNECT_MILLISECONDS)]
    return grpc.aio.insecure_channel(target, options, interceptors=client_interceptors())


def timestamp(moment: dt.datetime) -> Timestamp:
    """The time as the contract has it."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


async def _answer(call: Awaitable[Answer]) -> Answer | None:
    """Waits for a call. None if the service does not answer, or refuses; the log says why."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        _log.warning("the service answered %s: %s", error.code().name, error.details())
        return None
