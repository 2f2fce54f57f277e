"""What each surface lists, with a real store and a real bundle, without the wire."""

import time
from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.arrays import MICROSECONDS_AN_HOUR
from recsvc.domain.query import (
    Boost,
    ItemFilter,
    Query,
    Recommendation,
    RecommendationList,
    RepeatPolicy,
    Rules,
    Surface,
)
from recsvc.domain.reason import Strength
from recsvc.domain.shop import Event, EventType
from recsvc.pipeline import popularity_scorer as popularity
from recsvc.pipeline.recommender import Recommender
from recsvc.store import UserStore

DAY = 24 * MICROSECONDS_AN_HOUR
NOW = time.time_ns() // 1_000
QUERY = Query("ann", 10, time=NOW, reasons=False)


def ids(found: RecommendationList) -> list[str]:
    return [recommendation.item.item_id for recommendation in found.recommendations]


async def act(store: UserStore, user_id: str, item_id: str, days_ago: float = 0.0, segment: str = "") -> None:
    when = NOW - int(days_ago * DAY)
    bought = Event(f"{user_id}{item_id}{when}", user_id, item_id, EventType.PURCHASE, when, segment=segment)
    await store.write_events([bought])
    await store.popularity.close()


def forget_order(recommender: Recommender) -> None:
    recommender._shared.popularity._known.clear()


async def test_what_sells_is_popular_and_below_it_what_sold_in_the_training_data(opened) -> None:
    recommender, store = opened
    every = replace(QUERY, surface=Surface.POPULAR, k=400)
    quiet = await recommender.recommend(every)
    past = recommender._bundle.item_repeats.popularity
    rows = recommender._bundle.catalogue.rows(ids(quiet))
    assert np.all(np.diff(past[rows]) <= 0)
    assert all(r.score <= 0 for r in quiet.recommendations)
    for buyer in range(3):
        await act(store, f"buyer {buyer}", "i00005")
    await act(store, "buyer 4", "i00009")
    before = ids(await recommender.recommend(every))
    assert before == ids(quiet)  # for a few seconds
    forget_order(recommender)
    found = await recommender.recommend(every)
    assert ids(found)[:2] == ["i00005", "i00009"]
    assert ids(found)[2:] == [item_id for item_id in ids(quiet) if item_id not in ("i00005", "i00009")]
    assert [r.score for r in found.recommendations[:2]] == pytest.approx([3, 1], rel=0.01)
    assert not found.personalised


async def test_an_order_of_what_sells_is_read_again(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    recommender, store = opened
    monkeypatch.setattr(popularity, "REFRESH_SECONDS", 0.0)
    await recommender.recommend(replace(QUERY, surface=Surface.POPULAR))
    await act(store, "bob", "i00005")
    assert ids(await recommender.recommend(replace(QUERY, surface=Surface.POPULAR)))[0] == "i00005"


async def test_a_segment_has_popular_items_of_its_own(opened) -> None:
    recommender, store = opened
    await act(store, "hans", "i00005", segment="de")
    await act(store, "anna", "i00009", segment="at")
    await act(store, "sepp", "i00009", segment="at")
    tops = [
        ids(await recommender.recommend(replace(QUERY, surface=Surface.POPULAR, segment=segment)))[0]
        for segment in ("", "de", "at")
    ]
    assert tops == ["i00009", "i00005", "i00009"]


async def test_what_sells_today_trends_and_what_always_sells_does_not(opened) -> None:
    recommender, store = opened
    for day in range(28):  # one a day, for a month
        await act(store, f"regular {day}", "i00005", days_ago=day)
    for buyer in range(4):
        await act(store, f"new {buyer}", "i00009")
    popular = ids(await recommender.recommend(replace(QUERY, surface=Surface.POPULAR)))
    trending = ids(await recommender.recommend(replace(QUERY, surface=Surface.TRENDING)))
    assert popular.index("i00005") < popular.index("i00009")
    assert trending[0] == "i00009"


async def test_what_was_bought_comes_again_when_it_is_likely(opened) -> None:
    recommender, store = opened
    assert ids(await recommender.recommend(replace(QUERY, surface=Surface.BUY_AGAIN))) == []
    intervals = recommender._bundle.item_repeats.intervals
    often, once = "i00003", "i00008"
    for days_ago in (31, 61, 91):
        await act(store, "ann", often, days_ago)
    await act(store, "ann", once, 300)
    found = await recommender.recommend(replace(QUERY, surface=Surface.BUY_AGAIN))
    assert ids(found) == [often, once]
    assert all(0 < r.score < 1 for r in found.recommendations)
    # Just bought: not before the usual time has passed.
    await act(store, "ann", once)
    due = replace(QUERY, surface=Surface.BUY_AGAIN, repeats=RepeatPolicy.WHEN_DUE)
    expected = [often] if intervals[3] <= 31 else []
    assert ids(await recommender.recommend(due)) == expected
    later = replace(due, time=NOW + int(max(intervals[8], intervals[3]) + 1) * DAY)
    assert set(ids(await recommender.recommend(later))) == {often, once}


async def test_in_the_list_for_you_too_nothing_comes_back_before_it_is_due(opened) -> None:
    recommender, store = opened
    await act(store, "ann", "i00003", 0.5)
    every = replace(QUERY, k=400, repeats=RepeatPolicy.WHEN_DUE)
    assert "i00003" not in ids(await recommender.recommend(every))
    interval = float(recommender._bundle.item_repeats.intervals[3])
    assert "i00003" in ids(await recommender.recommend(replace(every, time=NOW + int(interval * DAY))))


async def test_a_cart_is_gone_with_by_what_its_buyers_buy(opened) -> None:
    recommender, _ = opened
    carts = [("i00003",), ("i00200", "i00201")]
    lists = [ids(await recommender.recommend(replace(QUERY, surface=Surface.CART, cart=cart))) for cart in carts]
    assert lists[0] != lists[1]
    assert not set(lists[1]) & set(carts[1])
    # Somebody who bought just that gets nearly the same list.
    bought = [Event(f"{n}", "twin", item, EventType.PURCHASE, NOW) for n, item in enumerate(carts[1])]
    await recommender._shared.store.write_events(bought)
    twin = ids(await recommender.recommend(replace(QUERY, user_id="twin", repeats=RepeatPolicy.EXCLUDE)))
    assert len(set(twin) & set(lists[1])) >= 8
    nothing = ids(await recommender.recommend(replace(QUERY, surface=Surface.CART, cart=("unknown",))))
    assert nothing == ids(await recommender.recommend(QUERY))


async def test_similar_is_what_is_nearest_to_the_page_the_user_is_on(opened) -> None:
    recommender, _ = opened
    found = await recommender.recommend(replace(QUERY, surface=Surface.SIMILAR, viewed=("i00200", "i00007")))
    nearest = await recommender.similar_items("i00007", 11, frozenset(), ItemFilter())
    assert ids(found) == [r.item.item_id for r in nearest.neighbours if r.item.item_id != "i00200"][:10]
    assert not found.personalised


async def test_a_search_finds_words_and_meaning_and_minds_the_user(opened) -> None:
    recommender, store = opened
    items = recommender._bundle.catalogue.items
    for row in (7, 42, 123):
        found = await recommender.recommend(replace(QUERY, surface=Surface.SEARCH, text=items[row].title))
        assert ids(found)[0] == items[row].item_id
    query = replace(QUERY, surface=Surface.SEARCH, text=items[7].categories[-1], k=100)
    stranger = ids(await recommender.recommend(query))
    leaf = [item.item_id for item in items if item.categories == items[7].categories]
    assert set(stranger[: len(leaf)]) == set(leaf)
    liked = next(item for item in items if item.item_id == leaf[-1])
    bought = [item.item_id for item in items if item.brand == liked.brand and item.item_id not in leaf][:3]
    for item_id in bought:
        await act(store, "ann", item_id, 100)
    assert ids(await recommender.recommend(query)) != stranger
    only = replace(query, filter=ItemFilter(brands=frozenset({liked.brand})))
    assert all(r.item.brand == liked.brand for r in (await recommender.recommend(only)).recommendations)
    # Words that no item has still have a meaning.
    assert len(ids(await recommender.recommend(replace(query, text="something for a picnic in the rain")))) == 100


async def test_what_a_user_looked_for_moves_the_list_for_them(opened) -> None:
    recommender, store = opened
    await act(store, "ann", "i00003", 100)
    title = recommender._bundle.catalogue.items[300].title
    plain, moved = [ids(await recommender.recommend(replace(QUERY, k=400, text=text))) for text in ("", title)]
    assert moved.index("i00300") < plain.index("i00300")


def causal(recommendations: tuple[Recommendation, ...]) -> int:
    evidence = [evidence for r in recommendations if r.reason for evidence in r.reason.evidence]
    return sum(each.strength is Strength.CAUSAL for each in evidence)


async def test_nothing_is_called_causal_where_scores_alone_did_not_make_the_list(opened) -> None:
    recommender, store = opened
    for item_id in ("i00003", "i00008"):
        await act(store, "ann", item_id, 100)
    query = replace(QUERY, reasons=True, repeats=RepeatPolicy.EXCLUDE)
    plain = await recommender.recommend(query)
    assert causal(plain.recommendations)
    brand = plain.recommendations[0].item.brand
    for other in (
        replace(query, rules=Rules(diversity=0.5)),
        replace(query, rules=Rules(boosts=(Boost(ItemFilter(brands=frozenset({brand})), 0.1),))),
        replace(query, filter=ItemFilter(brands=frozenset({brand})), backfill=True, k=30),
        replace(query, surface=Surface.POPULAR),
        replace(query, surface=Surface.CART, cart=("i00050",)),
    ):
        found = await recommender.recommend(other)
        assert any(r.reason for r in found.recommendations) or other.surface is not Surface.FOR_YOU
        assert not causal(found.recommendations)


async def test_a_boost_lifts_what_would_not_be_in_the_list_and_a_cap_keeps_brands_apart(opened) -> None:
    recommender, store = opened
    await act(store, "ann", "i00003", 100)
    every = await recommender.recommend(replace(QUERY, k=400))
    last = every.recommendations[-1].item
    boost = Boost(ItemFilter(item_ids=frozenset({last.item_id})), 1.0)
    assert last.item_id not in ids(await recommender.recommend(QUERY))
    # The last of all is far below the list: it comes nearer, and with nothing of the distance left, in.
    found = ids(await recommender.recommend(replace(QUERY, k=399, rules=Rules(boosts=(boost,)))))
    assert found.index(last.item_id) < 5
    capped = await recommender.recommend(replace(QUERY, rules=Rules(max_per_brand=1)))
    brands = [r.item.brand for r in capped.recommendations]
    assert len(set(brands)) == len(brands) == 10
