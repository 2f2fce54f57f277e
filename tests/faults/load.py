"""A steady load: calls at fixed rates whatever the answers are, from a thread with an event loop of its own."""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import grpc

from recsvc.v1 import events_pb2, events_pb2_grpc, recommendation_pb2, recommendation_pb2_grpc

DEADLINE_SECONDS = 5.0
USERS = 2_400
FEW_USERS = 100
LIST_LENGTH = 10
# What a list without fault ends with; one that says what it lacks; and one that is too short.
OK, DEGRADED, SHORT = "OK", "DEGRADED", "SHORT"
# As a client's service config. recsvc and Envoy refuse with these two statuses.
CLIENT_RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
                },
            }
        ]
    }
)


class Stubs:
    """The services behind one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.recommendations = recommendation_pb2_grpc.RecommendationServiceStub(channel)
        self.events = events_pb2_grpc.EventServiceStub(channel)


Call = Callable[[Stubs, int], Awaitable[str]]
"""Makes call number n, and returns how it ended. It may raise AioRpcError."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended: `code` is that of `Call`, or the name of a status. Times are of `time.monotonic`."""

    kind: str
    started: float
    ended: float
    code: str

    @property
    def seconds(self) -> float:
        return self.ended - self.started


class SteadyLoad:
    """Runs while its `with` block does, and waits at the end for what was sent.

    Args:
        addresses: Are called in turn, each over a connection of its own.
        calls: By kind: the call, and its rate in calls a second.
        retries: A service config for the channels; none for "".
    """

    def __init__(self, addresses: Sequence[str], calls: Mapping[str, tuple[Call, float]], retries: str = "") -> None:
        self._addresses, self._calls, self._retries = addresses, calls, retries
        self.outcomes: list[Outcome] = []
        self.details: Counter[str] = Counter()  # of failed calls: what gRPC says of them
        self._ending = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def of(self, kind: str, since: float = 0.0, until: float = float("inf")) -> list[Outcome]:
        """The calls of a kind that started within some time."""
        return [outcome for outcome in self.outcomes if outcome.kind == kind and since <= outcome.started < until]

    def codes(self, kind: str) -> Counter[str]:
        return Counter(outcome.code for outcome in self.outcomes if outcome.kind == kind)

    def failed(self, kind: str) -> int:
        """Calls that got no full answer. A degraded list is one."""
        return sum(outcome.code not in (OK, DEGRADED) for outcome in self.outcomes if outcome.kind == kind)

    def wait_for(self, kind: str, calls: int) -> None:
        """Returns when this number of calls of a kind have ended."""
        while len(self.of(kind)) < calls and self._thread.is_alive():
            time.sleep(0.02)

    def _run(self) -> None:
        try:
            asyncio.run(self._make_calls())
        except BaseException as failure:  # noqa: BLE001 - it is raised in the thread of the test
            self._failure = failure

    async def _make_calls(self) -> None:
        options: list[tuple[str, Any]] = [("grpc.use_local_subchannel_pool", 1)]
        options += [("grpc.service_config", self._retries)] if self._retries else []
        channels = [grpc.aio.insecure_channel(address, options) for address in self._addresses]
        stubs = [Stubs(channel) for channel in channels]
        await asyncio.gather(*(self._at_a_rate(kind, call, rate, stubs) for kind, (call, rate) in self._calls.items()))
        for channel in channels:
            await channel.close()

    async def _at_a_rate(self, kind: str, call: Call, rate: float, stubs: Sequence[Stubs]) -> None:
        running: set[asyncio.Task[None]] = set()
        number, due = 0, time.monotonic()
        while not self._ending.is_set():
            task = asyncio.create_task(self._make_call(kind, call, stubs[number % len(stubs)], number))
            running.add(task)
            task.add_done_callback(running.discard)
            number, due = number + 1, due + 1 / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
        await asyncio.gather(*running)

    async def _make_call(self, kind: str, call: Call, stubs: Stubs, number: int) -> None:
        started = time.monotonic()
        try:
            code = await call(stubs, number)
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            self.details[f"{kind}: {code}: {error.details()}"] += 1
        self.outcomes.append(Outcome(kind, started, time.monotonic(), code))


async def ask_for_a_list(stubs: Stubs, number: int) -> str:
    """A list for one of all users, with its reasons."""
    return await _list_for(stubs, user(number))


async def ask_for_few(stubs: Stubs, number: int) -> str:
    """The same for one of a few users: once each was asked for, the process remembers no new one."""
    return await _list_for(stubs, user(number % FEW_USERS))


async def _list_for(stubs: Stubs, user_id: str) -> str:
    request = recommendation_pb2.RecommendRequest(user_id=user_id, k=LIST_LENGTH)
    answer = await stubs.recommendations.Recommend(request, timeout=DEADLINE_SECONDS)
    if len(answer.recommendations) != LIST_LENGTH:
        return SHORT
    return DEGRADED if answer.degraded else OK


class EventWriter:
    """Writes batches of events, and remembers which were acknowledged.

    Args:
        items: How many items the bundle has: `i00000`, `i00001`, ...
        batch: Events a call.

    Attributes:
        acknowledged: User ids by event id.
        refused: The same, of calls that got another status than OK.
    """

    def __init__(self, items: int, batch: int) -> None:
        self._items, self._batch = items, batch
        self._rng = random.Random(1)
        self.acknowledged: dict[str, str] = {}
        self.refused: dict[str, str] = {}

    async def write(self, stubs: Stubs, number: int) -> str:
        events = [
            events_pb2.Event(
                event_id=f"e{number}.{place}",
                user_id=user(self._rng.randrange(USERS)),
                item_id=f"i{self._rng.randrange(self._items):05d}",
                event_type=self._rng.choice(("EVENT_TYPE_PURCHASE", "EVENT_TYPE_VIEW", "EVENT_TYPE_ADD_TO_CART")),  # type: ignore[arg-type]
            )
            for place in range(self._batch)
        ]
        users = {event.event_id: event.user_id for event in events}
        try:
            await stubs.events.WriteEvents(events_pb2.WriteEventsRequest(events=events), timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError:
            self.refused |= users
            raise
        self.acknowledged |= users
        return OK


def user(number: int) -> str:
    return f"u{number % USERS:05d}"


def percentile(outcomes: Sequence[Outcome], share: float) -> float:
    """The latency in milliseconds within which a share of the calls ended."""
    seconds = sorted(outcome.seconds for outcome in outcomes)
    return round(1000 * seconds[min(int(len(seconds) * share), len(seconds) - 1)], 1) if seconds else float("nan")
