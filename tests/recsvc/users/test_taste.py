"""What a user says of their taste moves the next list; with a real store and a real bundle."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.query import Query, RecommendationList, RepeatPolicy, Surface
from recsvc.domain.shop import NO_TASTE, Event, EventType, Profile, Taste
from recsvc.errors import InvalidRequest
from recsvc.store import UserStore

WHEN = 1_740_000_000_000_000
QUERY = Query("ann", 50, time=1_750_000_000_000_000, repeats=RepeatPolicy.EXCLUDE)


async def buy(store: UserStore, user_id: str, *rows: int) -> None:
    bought = [Event(f"{user_id}{row}", user_id, f"i{row:05}", EventType.PURCHASE, WHEN + row) for row in rows]
    await store.write_events(bought)


def ids(found: RecommendationList) -> list[str]:
    return [recommendation.item.item_id for recommendation in found.recommendations]


def anchors(found: RecommendationList) -> set[str]:
    evidence = [evidence for r in found.recommendations if r.reason for evidence in r.reason.evidence]
    return {each.anchor.item_id for each in evidence if each.anchor is not None}


async def test_a_gift_says_nothing_and_may_be_taken_back(opened) -> None:
    recommender, store = opened
    await buy(store, "ann", 3, 8, 200)
    await buy(store, "twin", 3, 8)
    before = await recommender.recommend(QUERY)
    assert "i00200" in anchors(before)
    assert await store.update_taste("ann", Taste(gifts=frozenset({"i00200"})), NO_TASTE, 10)
    after = await recommender.recommend(QUERY)
    twin = await recommender.recommend(replace(QUERY, user_id="twin", excluded_item_ids=frozenset({"i00200"})))
    assert ids(after) == ids(twin) != ids(before)
    assert "i00200" not in anchors(after)
    # They have it all the same: it is not recommended as something new, nor to be bought again.
    assert "i00200" not in ids(after)
    assert "i00200" not in ids(await recommender.recommend(replace(QUERY, surface=Surface.BUY_AGAIN)))
    assert await store.update_taste("ann", NO_TASTE, Taste(gifts=frozenset({"i00200"})), 10) == NO_TASTE
    assert ids(await recommender.recommend(QUERY)) == ids(before)


async def test_the_vector_that_redis_holds_knows_it_too(opened) -> None:
    recommender, store = opened
    await buy(store, "ann", 3, 8, 200)
    await store.update_taste("ann", Taste(frozenset({"i00200"}), less_brands=frozenset({"x"})), NO_TASTE, 10)
    computed = ids(await recommender.recommend(QUERY))
    await recommender._states.close()
    record = await store.read("ann", recommender.bundle_id)
    assert record.user_vector is not None
    recommender._states._kept.clear()  # as another process
    assert ids(await recommender.recommend(QUERY)) == computed


@pytest.mark.parametrize("sort", ["less_brands", "less_categories", "less_items"])
async def test_of_what_a_user_wants_to_see_less_there_is_less(opened, sort) -> None:
    recommender, store = opened
    await buy(store, "ann", 3, 8, 20)
    before = await recommender.recommend(QUERY)
    first = before.recommendations[0].item
    items = recommender._bundle.catalogue.items
    if sort == "less_brands":
        meant, named = {i.item_id for i in items if i.brand == first.brand}, first.brand
    elif sort == "less_categories":
        meant = {i.item_id for i in items if i.categories[:2] == first.categories[:2]}
        named = " > ".join(first.categories[:2])
    else:
        meant, named = {first.item_id}, first.item_id
    await store.update_taste("ann", Taste(**{sort: frozenset({named})}), NO_TASTE, 10)
    after = await recommender.recommend(QUERY)
    places = {item_id: place for place, item_id in enumerate(ids(before))}
    later = {item_id: place for place, item_id in enumerate(ids(after))}
    assert later.get(first.item_id, 50) > places[first.item_id]
    assert np.mean([later.get(item_id, 50) for item_id in meant]) > np.mean(
        [places.get(item_id, 50) for item_id in meant]
    )
    assert after.personalised


async def test_a_taste_profile_shows_what_is_bought(opened) -> None:
    recommender, store = opened
    empty = await recommender.taste_profile("ann")
    assert (empty.purchases, empty.categories, empty.brands, empty.profile) == (0, (), (), None)
    await buy(store, "ann", 3, 8, 20)
    await store.set_profile("ann", Profile("Likes tea."), np.zeros(384, np.float32))
    gift = Taste(gifts=frozenset({"i00008"}))
    await store.update_taste("ann", gift, NO_TASTE, 10)
    believed = await recommender.taste_profile("ann")
    items = recommender._bundle.catalogue.items
    assert believed.purchases == 2
    assert {p.value for p in believed.brands} == {items[3].brand, items[20].brand}
    assert {p.value for p in believed.categories} == {" > ".join(items[row].categories) for row in (3, 20)}
    assert {p.value for p in believed.attributes} == {f"{n}: {v}" for row in (3, 20) for n, v in items[row].attributes}
    assert sum(p.share for p in believed.categories) == pytest.approx(1)
    assert (believed.profile, believed.taste) == (Profile("Likes tea."), gift)


async def test_what_is_said_is_limited_and_survives_concurrent_writers(opened) -> None:
    _, store = opened
    for n in range(10):
        await store.update_taste("ann", Taste(less_brands=frozenset({f"b{n}"})), NO_TASTE, 10)
    with pytest.raises(InvalidRequest, match="more than 10"):
        await store.update_taste("ann", Taste(less_brands=frozenset({"b10"})), NO_TASTE, 10)
    export = await store.export_user("ann")
    assert export.taste.less_brands == {f"b{n}" for n in range(10)}
    await store.delete_user("ann")
    assert (await store.export_user("ann")).taste == NO_TASTE
