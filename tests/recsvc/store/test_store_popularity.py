"""Decayed counts of sales, in a real Redis."""

import time

import pytest

from recsvc.domain.shop import Event, EventType
from recsvc.store import popularity
from recsvc.store.popularity import POPULAR_HALF_LIFE, TRENDING_HALF_LIFE, WEIGHTS, CountedEvent

DAY = 86_400
NOW = 1_750_000_000.0


def event(item_id: str, when: float = NOW, event_type: EventType = EventType.PURCHASE, segment: str = "") -> Event:
    return Event(f"{item_id}{when}{event_type}{segment}", "ann", item_id, event_type, int(when * 1e6), segment=segment)


def first(
    item_id: str, when: float = NOW, event_type: EventType = EventType.PURCHASE, segment: str = ""
) -> CountedEvent:
    return CountedEvent(event(item_id, when, event_type, segment), 1.0)


async def test_sale_counts_half_after_a_half_life(store):
    days = (0, 1, 7, 14, 28)
    await store.popularity.count([first("tea", NOW - day * DAY) for day in days], NOW)
    counts = await store.popularity.read(now=NOW)
    assert counts.popular == {"tea": pytest.approx(sum(0.5 ** (day / POPULAR_HALF_LIFE) for day in days))}
    # An event older than ten half-lives is not counted.
    recent = [day for day in days if day <= 10 * TRENDING_HALF_LIFE]
    assert counts.trending == {"tea": pytest.approx(sum(0.5 ** (day / TRENDING_HALF_LIFE) for day in recent))}
    later = await store.popularity.read(now=NOW + 14 * DAY)
    assert later.popular["tea"] == pytest.approx(counts.popular["tea"] / 2)


async def test_counts_continue_when_a_new_set_begins(store):
    # A set is written to for 32 half-lives: three years need several sets of each half-life.
    expected = 0.0
    for day in range(0, 1_100, 5):
        now = NOW + day * DAY
        await store.popularity.count([first("tea", now)], now)
        expected = expected * 0.5 ** (5 / POPULAR_HALF_LIFE) + 1
        assert (await store.popularity.read(now=now)).popular["tea"] == pytest.approx(expected, rel=1e-6)


async def test_events_count_in_their_segment_and_in_the_shop(store):
    await store.popularity.count([first("tea", segment="de"), first("mug", segment="at"), first("tea")], NOW)
    shop, german = await store.popularity.read(now=NOW), await store.popularity.read("de", NOW)
    assert shop.popular == pytest.approx({"tea": 2.0, "mug": 1.0})
    assert german.popular == pytest.approx({"tea": 1.0})
    assert (await store.popularity.read("fr", NOW)).popular == {}


async def test_purchase_counts_more_than_addition_to_the_cart_and_view(store):
    await store.popularity.count([first(t.name, event_type=t) for t in WEIGHTS], NOW)
    popular = (await store.popularity.read(now=NOW)).popular
    assert popular == pytest.approx({"PURCHASE": 1.0, "ADD_TO_CART": 0.3, "VIEW": 0.1})


async def test_event_sent_again_is_counted_once(store):
    bought = event("tea", time.time())
    for _ in range(3):
        await store.write_events([bought])
    await store.write_events([bought, event("mug", time.time())])
    await store.popularity.close()
    counts = await store.popularity.read()
    assert counts.popular == pytest.approx({"tea": 1.0, "mug": 1.0}, rel=1e-3)


async def test_size_of_a_set_is_limited(store, raw, monkeypatch):
    monkeypatch.setattr(popularity, "_KEPT_ITEMS", 10)
    await store.popularity.count([first(f"i{n}", NOW - n * 3_600) for n in range(50)], NOW)
    counts = await store.popularity.read(now=NOW)
    assert set(counts.popular) == set(counts.trending) == {f"i{n}" for n in range(10)}
    assert all(raw.ttl(key) > 0 for key in raw.scan_iter("*popularity*"))
