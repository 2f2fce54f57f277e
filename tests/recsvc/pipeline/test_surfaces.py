"""The lists of each surface, with a real store and a real bundle, without gRPC."""

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
from recsvc.store import UserStore

DAY = 24 * MICROSECONDS_AN_HOUR
NOW = time.time_ns() // 1_000
QUERY = Query("ann", 10, time=NOW, reasons=False)


def ids(answer: RecommendationList) -> list[str]:
    return [recommendation.item.item_id for recommendation in answer.recommendations]


async def act(store: UserStore, user_id: str, item_id: str, days_ago: float = 0.0, segment: str = "") -> None:
    when = NOW - int(days_ago * DAY)
    bought = Event(f"{user_id}{item_id}{when}", user_id, item_id, EventType.PURCHASE, when, segment=segment)
    await store.write_events([bought])
    await store.popularity.close()


async def test_popular_lists_recent_sales_then_sales_of_the_training_data(
    opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender, store = opened
    complete = replace(QUERY, surface=Surface.POPULAR, k=400)
    quiet = await recommender.recommend(complete)
    past = recommender.bundle.item_repeats.popularity
    rows = recommender.catalogue.rows(ids(quiet))
    assert np.all(np.diff(past[rows]) <= 0)
    assert all(r.score <= 0 for r in quiet.recommendations)
    for buyer in range(3):
        await act(store, f"buyer {buyer}", "i00005")
    await act(store, "buyer 4", "i00009")
    before = ids(await recommender.recommend(complete))
    assert before == ids(quiet)  # for a few seconds
    monkeypatch.setattr(popularity, "REFRESH_SECONDS", 0.0)
    answer = await recommender.recommend(complete)
    assert ids(answer)[:2] == ["i00005", "i00009"]
    assert ids(answer)[2:] == [item_id for item_id in ids(quiet) if item_id not in ("i00005", "i00009")]
    assert [r.score for r in answer.recommendations[:2]] == pytest.approx([3, 1], rel=0.01)
    assert not answer.personalised


async def test_popular_order_is_read_again_after_the_refresh_time(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    recommender, store = opened
    monkeypatch.setattr(popularity, "REFRESH_SECONDS", 0.0)
    await recommender.recommend(replace(QUERY, surface=Surface.POPULAR))
    await act(store, "bob", "i00005")
    assert ids(await recommender.recommend(replace(QUERY, surface=Surface.POPULAR)))[0] == "i00005"


async def test_each_segment_has_its_own_popular_items(opened) -> None:
    recommender, store = opened
    await act(store, "hans", "i00005", segment="de")
    await act(store, "anna", "i00009", segment="at")
    await act(store, "sepp", "i00009", segment="at")
    tops = [
        ids(await recommender.recommend(replace(QUERY, surface=Surface.POPULAR, segment=segment)))[0]
        for segment in ("", "de", "at")
    ]
    assert tops == ["i00009", "i00005", "i00009"]


async def test_trending_prefers_new_sales_to_steady_sales(opened) -> None:
    recommender, store = opened
    for day in range(28):  # one a day, for a month
        await act(store, f"regular {day}", "i00005", days_ago=day)
    for buyer in range(4):
        await act(store, f"new {buyer}", "i00009")
    popular = ids(await recommender.recommend(replace(QUERY, surface=Surface.POPULAR)))
    trending = ids(await recommender.recommend(replace(QUERY, surface=Surface.TRENDING)))
    assert popular.index("i00005") < popular.index("i00009")
    assert trending[0] == "i00009"


async def test_buy_again_orders_by_likelihood_and_waits_until_due(opened) -> None:
    recommender, store = opened
    assert ids(await recommender.recommend(replace(QUERY, surface=Surface.BUY_AGAIN))) == []
    intervals = recommender.bundle.item_repeats.intervals
    often, once = "i00003", "i00008"
    for days_ago in (31, 61, 91):
        await act(store, "ann", often, days_ago)
    await act(store, "ann", once, 300)
    answer = await recommender.recommend(replace(QUERY, surface=Surface.BUY_AGAIN))
    assert ids(answer) == [often, once]
    assert all(0 < r.score < 1 for r in answer.recommendations)
    # Just bought: not listed before the usual interval has passed.
    await act(store, "ann", once)
    due = replace(QUERY, surface=Surface.BUY_AGAIN, repeats=RepeatPolicy.WHEN_DUE)
    expected = [often] if intervals[3] <= 31 else []
    assert ids(await recommender.recommend(due)) == expected
    later = replace(due, time=NOW + int(max(intervals[8], intervals[3]) + 1) * DAY)
    assert set(ids(await recommender.recommend(later))) == {often, once}


async def test_when_due_policy_keeps_recent_purchases_out_of_for_you(opened) -> None:
    recommender, store = opened
    await act(store, "ann", "i00003", 0.5)
    complete = replace(QUERY, k=400, repeats=RepeatPolicy.WHEN_DUE)
    assert "i00003" not in ids(await recommender.recommend(complete))
    interval = float(recommender.bundle.item_repeats.intervals[3])
    assert "i00003" in ids(await recommender.recommend(replace(complete, time=NOW + int(interval * DAY))))


async def test_cart_lists_what_a_buyer_of_the_cart_would_get(opened) -> None:
    recommender, store = opened
    carts = [("i00003",), ("i00200", "i00201")]
    lists = [ids(await recommender.recommend(replace(QUERY, surface=Surface.CART, cart=cart))) for cart in carts]
    assert lists[0] != lists[1]
    assert not set(lists[1]) & set(carts[1])
    # A user who bought exactly the cart gets nearly the same list.
    bought = [Event(f"{n}", "twin", item, EventType.PURCHASE, NOW) for n, item in enumerate(carts[1])]
    await store.write_events(bought)
    twin = ids(await recommender.recommend(replace(QUERY, user_id="twin", repeats=RepeatPolicy.EXCLUDE)))
    assert len(set(twin) & set(lists[1])) >= 8
    nothing = ids(await recommender.recommend(replace(QUERY, surface=Surface.CART, cart=("unknown",))))
    assert nothing == ids(await recommender.recommend(QUERY))


async def test_similar_lists_the_nearest_to_the_last_viewed_item(opened) -> None:
    recommender, _ = opened
    answer = await recommender.recommend(replace(QUERY, surface=Surface.SIMILAR, viewed=("i00200", "i00007")))
    nearest = await recommender.similar_items("i00007", 11, frozenset(), ItemFilter())
    assert ids(answer) == [r.item.item_id for r in nearest.neighbours if r.item.item_id != "i00200"][:10]
    assert not answer.personalised


async def test_search_matches_words_meaning_and_taste(opened) -> None:
    recommender, store = opened
    items = recommender.catalogue.items
    for row in (7, 42, 123):
        answer = await recommender.recommend(replace(QUERY, surface=Surface.SEARCH, text=items[row].title))
        assert ids(answer)[0] == items[row].item_id
    query = replace(QUERY, surface=Surface.SEARCH, text=items[7].categories[-1], k=100)
    unpersonalised = ids(await recommender.recommend(query))
    leaf = [item.item_id for item in items if item.categories == items[7].categories]
    assert set(unpersonalised[: len(leaf)]) == set(leaf)
    liked = next(item for item in items if item.item_id == leaf[-1])
    bought = [item.item_id for item in items if item.brand == liked.brand and item.item_id not in leaf][:3]
    for item_id in bought:
        await act(store, "ann", item_id, 100)
    assert ids(await recommender.recommend(query)) != unpersonalised
    only = replace(query, filter=ItemFilter(brands=frozenset({liked.brand})))
    assert all(r.item.brand == liked.brand for r in (await recommender.recommend(only)).recommendations)
    # A query whose words no item has still finds items by its meaning.
    assert len(ids(await recommender.recommend(replace(query, text="something for a picnic in the rain")))) == 100


async def test_query_text_raises_matching_items_in_for_you(opened) -> None:
    recommender, store = opened
    await act(store, "ann", "i00003", 100)
    title = recommender.catalogue.items[300].title
    plain, moved = [ids(await recommender.recommend(replace(QUERY, k=400, text=text))) for text in ("", title)]
    assert moved.index("i00300") < plain.index("i00300")


def causal(recommendations: tuple[Recommendation, ...]) -> int:
    evidence = [fact for r in recommendations if r.reason for fact in r.reason.evidence]
    return sum(fact.strength is Strength.CAUSAL for fact in evidence)


async def test_no_reason_is_causal_if_rules_or_backfill_changed_the_list(opened) -> None:
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
        answer = await recommender.recommend(other)
        assert any(r.reason for r in answer.recommendations) or other.surface is not Surface.FOR_YOU
        assert not causal(answer.recommendations)


async def test_boost_raises_the_last_item_and_cap_limits_brands(opened) -> None:
    recommender, store = opened
    await act(store, "ann", "i00003", 100)
    complete = await recommender.recommend(replace(QUERY, k=400))
    last = complete.recommendations[-1].item
    boost = Boost(ItemFilter(item_ids=frozenset({last.item_id})), 1.0)
    assert last.item_id not in ids(await recommender.recommend(QUERY))
    # The boost adds the score range of a list of 399, so the last item rises to the top.
    boosted = ids(await recommender.recommend(replace(QUERY, k=399, rules=Rules(boosts=(boost,)))))
    assert boosted.index(last.item_id) < 5
    capped = await recommender.recommend(replace(QUERY, rules=Rules(max_per_brand=1)))
    brands = [r.item.brand for r in capped.recommendations]
    assert len(set(brands)) == len(brands) == 10


async def test_what_one_visitor_looks_at_is_neither_popular_nor_trending(
    opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender, store = opened
    monkeypatch.setattr(popularity, "REFRESH_SECONDS", 0.0)
    lists = [replace(QUERY, surface=surface, k=400) for surface in (Surface.POPULAR, Surface.TRENDING)]
    quiet = [ids(await recommender.recommend(query)) for query in lists]
    views = [Event(f"v{n}", "crawler", "i00009", EventType.VIEW, NOW - n) for n in range(1_000)]
    carts = [Event(f"c{n}", "crawler", "i00009", EventType.ADD_TO_CART, NOW - n) for n in range(100)]
    everything = [Event(f"e{n}", "crawler", f"i{n:05}", EventType.VIEW, NOW - n) for n in range(400)]
    for events in (views, carts, everything):
        await store.write_events(events)
    for buyer in range(2):
        await act(store, f"buyer {buyer}", "i00005")
    for query, before in zip(lists, quiet, strict=True):
        bought_first = ["i00005", *(item_id for item_id in before if item_id != "i00005")]
        assert ids(await recommender.recommend(query)) == bought_first


async def test_item_that_everybody_sent_back_is_no_longer_popular(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    recommender, store = opened
    monkeypatch.setattr(popularity, "REFRESH_SECONDS", 0.0)
    query = replace(QUERY, surface=Surface.POPULAR, k=400)
    quiet = ids(await recommender.recommend(query))
    for buyer in range(3):
        await act(store, f"buyer {buyer}", "i00005", days_ago=2)
    assert ids(await recommender.recommend(query))[0] == "i00005"
    for buyer in range(3):
        await store.write_events([Event(f"r{buyer}", f"buyer {buyer}", "i00005", EventType.RETURN, NOW)])
    await store.popularity.close()
    assert ids(await recommender.recommend(query)) == quiet
