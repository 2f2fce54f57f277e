"""Every call that the shop makes to the service, one method an RPC. A call that fails costs a row, never a page."""

import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.storefront.visits import Visit
from recsvc.v1 import recommendation_pb2, users_pb2
from recsvc.v1.recommendation_pb2 import Context, Filter, RecommendRequest, RecommendResponse
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from recsvc.v1.users_pb2_grpc import UserServiceStub

# A page waits no longer than this for its lists, unless it is told to: a shopper does not.
LIST_SECONDS = 1.5
WRITE_SECONDS = 3.0
# The service is called again this soon after it was away.
RECONNECT_MILLISECONDS = 1_000
RANKED_ITEMS = 1_000  # the most that Rank takes
REASONED_ITEMS = 100

Clock = Callable[[], dt.datetime]
Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One list of a page. surface: as in the contract, without its prefix. context: more than the visit tells."""

    surface: str
    k: int
    context: dict[str, Any] = field(default_factory=dict)
    repeat_policy: str | None = None


class Recommender:
    """clock: the shop's time; None: the service's own, which is right for any shop but a made-up one of last year.
    patience: seconds that a list may take.
    """

    def __init__(self, channel: grpc.aio.Channel, clock: Clock | None = None, patience: float = LIST_SECONDS) -> None:
        self._recommendations = RecommendationServiceStub(channel)
        self._users = UserServiceStub(channel)
        self._clock = clock
        self._patience = patience

    async def recommend(self, visit: Visit, wanted: Wanted) -> RecommendResponse | None:
        return await _answer(self._recommendations.Recommend(self._request(visit, wanted), timeout=self._patience))

    async def page(self, visit: Visit, *wanted: Wanted) -> Sequence[RecommendResponse | None]:
        """The lists of one page, of which no two have an item in common."""
        batch = recommendation_pb2.BatchRecommendRequest(requests=[self._request(visit, each) for each in wanted])
        answer = await _answer(self._recommendations.BatchRecommend(batch, timeout=self._patience))
        return [None] * len(wanted) if answer is None else answer.responses

    async def ordered(self, visit: Visit, item_ids: Sequence[str]) -> recommendation_pb2.RankResponse | None:
        """The shop's own choice of items, the likeliest first."""
        request = recommendation_pb2.RankRequest(
            user_id=visit.user_id,
            item_ids=item_ids[:RANKED_ITEMS],
            context=self._context(visit, {}),
            reasons=len(item_ids) <= REASONED_ITEMS,
            min_freshness=visit.freshness,
        )
        return await _answer(self._recommendations.Rank(request, timeout=self._patience))

    async def taste(self, visit: Visit) -> users_pb2.GetTasteProfileResponse | None:
        request = users_pb2.GetTasteProfileRequest(user_id=visit.user_id)
        return await _answer(self._users.GetTasteProfile(request, timeout=self._patience))

    async def say(
        self, visit: Visit, *, add: users_pb2.Taste | None = None, remove: users_pb2.Taste | None = None
    ) -> bool:
        """The shopper's own word on their taste. False: it did not arrive."""
        request = users_pb2.UpdateTasteProfileRequest(user_id=visit.user_id, add=add, remove=remove)
        return await _answer(self._users.UpdateTasteProfile(request, timeout=WRITE_SECONDS)) is not None

    def _request(self, visit: Visit, wanted: Wanted) -> RecommendRequest:
        return RecommendRequest(
            user_id=visit.user_id,
            k=wanted.k,
            surface=f"SURFACE_{wanted.surface}",
            context=self._context(visit, wanted.context),
            filter=Filter(repeat_policy=wanted.repeat_policy),
            min_freshness=visit.freshness,
        )

    def _context(self, visit: Visit, more: dict[str, Any]) -> Context:
        # What is in the cart is not recommended again, and moves the lists towards what goes with it.
        context = Context(language=visit.language, cart_item_ids=list(visit.cart), **more)
        if self._clock is not None:
            context.time.CopyFrom(timestamp(self._clock()))
        return context


def open_channel(target: str) -> grpc.aio.Channel:
    """In the running event loop. Connects when it is first used, and again after the service was away."""
    return grpc.aio.insecure_channel(target, [("grpc.max_reconnect_backoff_ms", RECONNECT_MILLISECONDS)])


def timestamp(moment: dt.datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


async def _answer(call: Awaitable[Answer]) -> Answer | None:
    """None where the service does not answer, or refuses: the shop does without. The log says why."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        _log.warning("the service answered %s: %s", error.code().name, error.details())
        return None
