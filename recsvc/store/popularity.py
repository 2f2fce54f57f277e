"""What sells: decayed counts of each item, in the whole shop and in segments of its users.

Counts decay forward (Cormode et al., "Forward Decay", ICDE 2009): an event adds 2^(its time / half-life), so that what
is held never has to be touched again, and an event that comes late counts as little as it should. When the exponents
get large a new sorted set begins; the one before it still counts for what it is by now.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from recsvc.domain.shop import Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

# Days after which a count is worth half: what is popular, and what is on the rise.
POPULAR_HALF_LIFE = 14.0
TRENDING_HALF_LIFE = 1.0

_WEIGHTS = {EventType.PURCHASE: 1.0, EventType.ADD_TO_CART: 0.3, EventType.VIEW: 0.1}
_EPOCH = 32  # half-lives that one sorted set is written to
_OLDEST = 10  # half-lives after which an event says nothing any more
# The best that are read, and all that are held, of one sorted set. A count that falls off the end was next to nothing.
READ_ITEMS = 2_000
_HELD_ITEMS = 20_000
_SECONDS_A_DAY = 86_400
GATHER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Counts:
    """By item_id: what was sold as of now, each sale worth less the longer ago it was."""

    popular: dict[str, float]
    trending: dict[str, float]


class PopularityStore:
    """Approximate on purpose: an event whose counting Redis refuses, or that waits when the process dies, is not
    counted. For the event loop's thread alone.
    """

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._waiting: list[Event] = []
        self._counting: asyncio.Task[None] | None = None

    def count_soon(self, events: Iterable[Event]) -> None:
        """Counts events a moment later, with those that come until then: who writes an event does not wait for it."""
        self._waiting.extend(events)
        if self._counting is None and self._waiting:
            self._counting = asyncio.create_task(self._count_waiting())

    async def close(self) -> None:
        """Returns when all that waited are counted."""
        while self._counting is not None:
            await self._counting

    async def _count_waiting(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(GATHER_SECONDS)
                events, self._waiting = self._waiting, []
                await self.count(events)
        finally:
            self._counting = None

    async def count(self, events: Iterable[Event], now: float | None = None) -> None:
        """Counts events in the whole shop, and each in its segment. now: seconds since 1970."""
        now = time.time() if now is None else now
        added: dict[tuple[str, float], defaultdict[str, float]] = {}
        for event, half_life in product(events, (POPULAR_HALF_LIFE, TRENDING_HALF_LIFE)):
            age = max(now - event.timestamp / 1_000_000, 0.0) / _SECONDS_A_DAY / half_life
            if event.event_type not in _WEIGHTS or age > _OLDEST:
                continue
            worth = _WEIGHTS[event.event_type] * 2.0 ** (_place(now, half_life)[1] - age)
            for segment in {"", event.segment}:
                added.setdefault((segment, half_life), defaultdict(float))[event.item_id] += worth
        if not added:
            return
        pipeline = self._client.pipeline(transaction=False)
        for (segment, half_life), counts in added.items():
            key = self._key(segment, half_life, _place(now, half_life)[0])
            for item_id, worth in counts.items():
                pipeline.execute_command("ZINCRBY", key, worth, item_id)
            pipeline.execute_command("ZREMRANGEBYRANK", key, 0, -_HELD_ITEMS - 1)
            pipeline.execute_command("EXPIRE", key, int(2 * _EPOCH * half_life * _SECONDS_A_DAY))
        try:
            with operation("count_events"):
                await pipeline.execute()
        except StoreUnavailable:
            return  # the events are acknowledged, and the store has counted the failure

    async def read(self, segment: str = "", now: float | None = None) -> Counts:
        """What sells in a segment, '' for the whole shop: of each kind the best READ_ITEMS. Raises StoreUnavailable."""
        now = time.time() if now is None else now
        asked = [
            (self._key(segment, half_life, epoch - back), 2.0 ** -(place + _EPOCH * back))
            for half_life in (POPULAR_HALF_LIFE, TRENDING_HALF_LIFE)
            for epoch, place in (_place(now, half_life),)
            for back in (0, 1)
        ]
        pipeline = self._client.pipeline(transaction=False)
        for key, _ in asked:
            pipeline.execute_command("ZREVRANGE", key, 0, READ_ITEMS - 1, "WITHSCORES")
        with operation("read_popularity"):
            answers = await pipeline.execute()
        popular: dict[str, float] = {}
        trending: dict[str, float] = {}
        for (_, scale), held, counts in zip(asked, answers, (popular, popular, trending, trending), strict=True):
            _add(counts, held, scale)
        return Counts(popular, trending)

    def _key(self, segment: str, half_life: float, epoch: int) -> str:
        return keys.popularity(self._namespace, segment, half_life, epoch)


def _place(now: float, half_life: float) -> tuple[int, float]:
    """The number of the sorted set that is written now, and how many half-lives ago it began."""
    half_lives = now / _SECONDS_A_DAY / half_life
    return int(half_lives // _EPOCH), half_lives % _EPOCH


def _add(counts: dict[str, float], held: list[tuple[bytes, float]], scale: float) -> None:
    for item_id, score in held:
        counts[item_id.decode()] = counts.get(item_id.decode(), 0.0) + float(score) * scale
