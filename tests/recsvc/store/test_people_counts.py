"""Popularity counts people: what one visitor adds is limited, and a return takes back what its purchase added."""

import asyncio
import time

import numpy as np
import pytest

from recsvc.domain.shop import Event, EventType
from recsvc.store import UserStore
from recsvc.store.history import Entry, merge, unseen
from recsvc.store.people_counts import counted_events
from recsvc.store.popularity import POPULAR_HALF_LIFE

DAY = 86_400
NOW = time.time() - 60
BUY, BACK, SEE, CART = EventType.PURCHASE, EventType.RETURN, EventType.VIEW, EventType.ADD_TO_CART


class Shop:
    """Writes events as servers do, each with an id of its own."""

    def __init__(self, store: UserStore) -> None:
        self._store = store
        self._written = 0

    async def look_at(self, user_id: str, item_ids: list[str], days_ago: float) -> None:
        when = NOW - days_ago * DAY
        await self._store.write_events([self._event(user_id, item_id, SEE, when, 1) for item_id in item_ids])

    async def act(self, user_id: str, item_id: str, kind: EventType, *days_ago: float, pieces: float = 1) -> None:
        for first in range(0, len(days_ago), 1_000):
            await self._store.write_events(
                [self._event(user_id, item_id, kind, NOW - days * DAY, pieces) for days in days_ago[first:][:1_000]]
            )

    def _event(self, user_id: str, item_id: str, kind: EventType, seconds: float, pieces: float) -> Event:
        self._written += 1
        return Event(f"e{self._written}", user_id, item_id, kind, int(seconds * 1e6), pieces)

    async def counts(self, item_id: str) -> tuple[float, float]:
        """Popular and trending, as of NOW."""
        await self._store.popularity.close()
        counts = await self._store.popularity.read(now=NOW)
        return counts.popular.get(item_id, 0.0), counts.trending.get(item_id, 0.0)


@pytest.fixture
def shop(store: UserStore) -> Shop:
    return Shop(store)


@pytest.mark.parametrize(
    "days_ago",
    [
        np.zeros(1_000),
        np.linspace(0.01, 0, 1_000),
        np.repeat(np.linspace(60, 0, 100), 10),  # in a hundred sessions
        np.linspace(0, 60, 200),  # the latest arrive first
    ],
    ids=["at once", "in minutes", "in sessions", "backwards"],
)
@pytest.mark.parametrize(("kind", "weight"), [(SEE, 0.1), (CART, 0.3), (BUY, 1.0)])
async def test_one_visitor_counts_once_however_often_they_act(shop: Shop, days_ago, kind, weight) -> None:
    await shop.act("crawler", "tea", kind, *days_ago.tolist())
    popular, trending = await shop.counts("tea")
    assert popular == pytest.approx(weight, rel=0.01)
    assert 0 < trending <= weight * 1.01


async def test_visitor_who_looks_at_everything_over_and_over_counts_once_for_an_item(shop: Shop) -> None:
    # Between two views of one item more others are viewed than a history holds.
    for lap in range(4):
        for item in range(0, 300, 60):
            await shop.look_at("crawler", [f"i{n}" for n in range(item, item + 60)], (4 - lap) / 24 - item / 1e5)
    popular, trending = await shop.counts("i7")
    assert popular == pytest.approx(0.1, rel=0.02)
    assert trending <= 0.1
    await shop.act("ann", "i7", BUY, 0)
    assert (await shop.counts("i7"))[0] == pytest.approx(1.1, rel=0.01)


async def test_visitor_who_acts_on_many_connections_at_once_counts_once(shop: Shop) -> None:
    await asyncio.gather(*(shop.act("crawler", "tea", SEE, n / DAY) for n in range(12)))
    assert (await shop.counts("tea"))[0] == pytest.approx(0.1, rel=0.01)


async def test_person_counts_by_their_newest_purchase(shop: Shop) -> None:
    await shop.act("ann", "tea", BUY, 28)
    assert await shop.counts("tea") == pytest.approx((0.25, 0), abs=1e-3)
    await shop.act("ann", "tea", BUY, 0)
    # Trending gets the share that the first purchase has lost: an item that the same people buy steadily is no trend.
    assert await shop.counts("tea") == pytest.approx((1, 0.75), rel=1e-3)


async def test_steady_repeats_are_no_trend(shop: Shop) -> None:
    for buyer in range(14):
        await shop.act(f"u{buyer}", "milk", BUY, *np.arange(140 + buyer, -1, -14))
    popular, trending = await shop.counts("milk")
    a_day, usual = trending * np.log(2), popular * np.log(2) / 14
    assert a_day == pytest.approx(usual, rel=0.5)


async def test_return_takes_back_what_the_purchase_added(shop: Shop) -> None:
    for buyer in range(3):
        await shop.act(f"u{buyer}", "tea", BUY, 2)
    kept = await shop.counts("tea")
    await shop.act("u0", "tea", SEE, 2)
    viewed = await shop.counts("tea")
    await shop.act("u0", "tea", BACK, 0)
    assert await shop.counts("tea") == pytest.approx(np.array(kept) * 2 / 3 + viewed - np.array(kept), rel=1e-6)
    for buyer in (1, 2):
        await shop.act(f"u{buyer}", "tea", BACK, 0)
    assert await shop.counts("tea") == pytest.approx(np.array(viewed) - kept, rel=1e-6)


async def test_return_of_the_last_of_two_purchases_leaves_the_first(shop: Shop) -> None:
    await shop.act("ann", "tea", BUY, 14)
    first = await shop.counts("tea")
    await shop.act("ann", "tea", BUY, 1)
    await shop.act("ann", "tea", BACK, 0)
    assert await shop.counts("tea") == pytest.approx(first, rel=1e-6)


async def test_return_of_a_part_takes_back_nothing(shop: Shop) -> None:
    await shop.act("ann", "tea", BUY, 1, pieces=3)
    bought = await shop.counts("tea")
    await shop.act("ann", "tea", BACK, 0, pieces=2)
    assert await shop.counts("tea") == bought
    await shop.act("ann", "tea", BACK, 0, pieces=1)
    assert await shop.counts("tea") == pytest.approx((0, 0), abs=1e-9)


async def test_return_that_arrives_before_its_purchase_takes_it_back(shop: Shop) -> None:
    await shop.act("ann", "tea", BACK, 0)
    await shop.act("ann", "tea", BUY, 1)
    assert await shop.counts("tea") == (0, 0)


async def test_return_of_an_unknown_purchase_takes_nothing_from_others(shop: Shop) -> None:
    await shop.act("bob", "tea", BUY, 1)
    bought = await shop.counts("tea")
    await shop.act("ann", "tea", BACK, 0)
    assert await shop.counts("tea") == bought


def test_sum_is_the_newest_event_of_each_kind_in_whatever_order_events_arrive() -> None:
    rng = np.random.default_rng(3)
    for _ in range(100):
        kinds = rng.choice([BUY, BACK, SEE, CART], 12)
        events = [
            Event(f"e{n}", "ann", f"i{rng.integers(2)}", EventType(kind), int(rng.integers(1, 80)) * DAY * 1_000_000)
            for n, kind in enumerate(kinds.tolist())
        ]
        history: list[Entry] = []
        sums = dict.fromkeys(((item, kind) for item in ("i0", "i1") for kind in (BUY, SEE, CART)), 0.0)
        for batch in (events[:5], events[5:6], events[6:]):
            arrivals = unseen(history, batch)
            for counted in counted_events(history, arrivals, 100):
                key = counted.event.item_id, counted.event.event_type
                sums[key] = sums[key] + counted.share * worth(counted.event.timestamp)
            history = merge(history, [entry for entry, _ in arrivals], 100)
        for (item, kind), total in sums.items():
            times = [entry.timestamp for entry in history if (entry.item_id, entry.event_type) == (item, kind)]
            if kind is BUY:
                times = kept(sorted(times), [e.timestamp for e in events if (e.item_id, e.event_type) == (item, BACK)])
            assert total == pytest.approx(worth(max(times)) if times else 0, abs=1e-9)


def worth(timestamp: int) -> float:
    return 2.0 ** ((timestamp / 1e6 / DAY - 80) / POPULAR_HALF_LIFE)


def kept(bought: list[int], returned: list[int]) -> list[int]:
    """Takes the newest purchase for each return, one by one."""
    for moment in sorted(returned):
        before = [when for when in bought if when <= moment]
        if before:
            bought.remove(max(before))
    return bought
