"""Counts the people who buy each item, with decay, in the whole shop and in segments of its users.

Counts use forward decay (Cormode et al., "Forward Decay", ICDE 2009): an event adds 2^(its time / half-life). So stored
counts never have to be updated for their age, and a late event counts as little as it should. Before the exponents get
too large, a new sorted set begins. Reading adds the counts of the set before it, scaled to the same time.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import product

from recsvc.domain.shop import Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.runtime.work_queue import WorkQueue
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

POPULAR_HALF_LIFE = 14.0  # days
TRENDING_HALF_LIFE = 1.0  # days

WEIGHTS = {EventType.PURCHASE: 1.0, EventType.ADD_TO_CART: 0.3, EventType.VIEW: 0.1}
_EPOCH_LENGTH = 32  # half-lives for which one sorted set is written to
_MAX_AGE = 10  # half-lives, beyond which an event is not counted
READ_ITEMS = 2_000  # of one sorted set, the best
_KEPT_ITEMS = 20_000  # of one sorted set; a count that falls off the end was close to nothing
_SECONDS_A_DAY = 86_400
GATHER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Counts:
    """Decayed counts by item_id, as of now.

    Attributes:
        popular: With `POPULAR_HALF_LIFE`.
        trending: With `TRENDING_HALF_LIFE`.
    """

    popular: dict[str, float]
    trending: dict[str, float]


@dataclass(frozen=True, slots=True)
class CountedEvent:
    """An event of a user, and how much of it counts.

    Attributes:
        event: A purchase, an addition to the cart or a view.
        share: Of its weight, 1 for the first event of this type by this user and on this item. Negative: the event
            counts less than before. See `recsvc.store.people_counts`.
    """

    event: Event
    share: float


class PopularityStore:
    """The counts. For the event loop's thread alone.

    They are approximate on purpose: an event is lost if Redis refuses to count it, or if the process dies before.
    """

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._queue: WorkQueue[CountedEvent] = WorkQueue(self.count, gather=partial(asyncio.sleep, GATHER_SECONDS))

    def count_soon(self, events: Iterable[CountedEvent]) -> None:
        """Counts events a moment later, off the path of the request that writes them."""
        self._queue.put(*events)

    async def close(self) -> None:
        """Returns when no event is waiting."""
        await self._queue.close()

    async def count(self, events: Iterable[CountedEvent], now: float | None = None) -> None:
        """Counts events, each in the whole shop and in its segment. Errors of Redis are counted, not raised.

        Args:
            events: Of any users.
            now: Seconds since 1970 UTC; None for the current time.
        """
        now = time.time() if now is None else now
        added: dict[tuple[str, float], defaultdict[str, float]] = {}
        for counted, half_life in product(events, (POPULAR_HALF_LIFE, TRENDING_HALF_LIFE)):
            event = counted.event
            age = max(now - event.timestamp / 1_000_000, 0.0) / _SECONDS_A_DAY / half_life
            if age > _MAX_AGE:
                continue
            weight = counted.share * WEIGHTS[event.event_type] * 2.0 ** (_epoch(now, half_life)[1] - age)
            for segment in {"", event.segment}:
                added.setdefault((segment, half_life), defaultdict(float))[event.item_id] += weight
        if not added:
            return
        pipeline = self._client.pipeline(transaction=False)
        for (segment, half_life), counts in added.items():
            key = self._key(segment, half_life, _epoch(now, half_life)[0])
            for item_id, weight in counts.items():
                pipeline.execute_command("ZINCRBY", key, weight, item_id)
            pipeline.execute_command("ZREMRANGEBYRANK", key, 0, -_KEPT_ITEMS - 1)
            pipeline.execute_command("EXPIRE", key, int(2 * _EPOCH_LENGTH * half_life * _SECONDS_A_DAY))
        try:
            with operation("count_events"):
                await pipeline.execute()
        except StoreUnavailable:
            return  # the events are acknowledged already, and `operation` has counted the failure

    async def read(self, segment: str = "", now: float | None = None) -> Counts:
        """The best `READ_ITEMS` counts of each sorted set of a segment.

        Args:
            segment: Of the shop's users; '' for the whole shop.
            now: Seconds since 1970 UTC; None for the current time.

        Raises:
            StoreUnavailable: Redis refuses, or does not answer in time.
        """
        now = time.time() if now is None else now
        keys_and_scales = [
            (self._key(segment, half_life, epoch - back), 2.0 ** -(age + _EPOCH_LENGTH * back))
            for half_life in (POPULAR_HALF_LIFE, TRENDING_HALF_LIFE)
            for epoch, age in (_epoch(now, half_life),)
            for back in (0, 1)
        ]
        pipeline = self._client.pipeline(transaction=False)
        for key, _ in keys_and_scales:
            pipeline.execute_command("ZREVRANGE", key, 0, READ_ITEMS - 1, "WITHSCORES")
        with operation("read_popularity"):
            answers = await pipeline.execute()
        popular: dict[str, float] = {}
        trending: dict[str, float] = {}
        for (_, scale), scores, counts in zip(
            keys_and_scales, answers, (popular, popular, trending, trending), strict=True
        ):
            _add(counts, scores, scale)
        return Counts(popular, trending)

    def _key(self, segment: str, half_life: float, epoch: int) -> str:
        return keys.popularity(self._namespace, segment, half_life, epoch)


def _epoch(now: float, half_life: float) -> tuple[int, float]:
    """The number of the sorted set that is written to now, and its age in half-lives."""
    half_lives = now / _SECONDS_A_DAY / half_life
    return int(half_lives // _EPOCH_LENGTH), half_lives % _EPOCH_LENGTH


def _add(counts: dict[str, float], scores: list[tuple[bytes, float]], scale: float) -> None:
    for item_id, score in scores:
        counts[item_id.decode()] = counts.get(item_id.decode(), 0.0) + float(score) * scale
