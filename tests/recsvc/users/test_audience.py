"""The audience of an item, with a real store and a real bundle."""

import asyncio

import numpy as np
import pytest

from recsvc.domain.audience_query import AudiencePlace, AudienceQuery
from recsvc.domain.shop import Event, EventType, Profile
from recsvc.errors import InvalidRequest, ItemNotFound, TooBusy
from recsvc.model.history_bonus import neighbour_gains, newest_items_of
from recsvc.store import UserStore, users
from recsvc.users import audience
from recsvc.users.audience import MOST_AT_ONCE
from recsvc.users.user_state import state_of

WHEN = 1_740_000_000_000_000


async def act(store: UserStore, user_id: str, *rows: int, event_type: EventType = EventType.PURCHASE) -> None:
    events = [Event(f"{user_id}{row}{event_type}", user_id, f"i{row:05}", event_type, WHEN + row) for row in rows]
    await store.write_events(events)


async def test_audience_is_the_users_for_whom_the_item_stands_out(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    recommender, store = opened
    monkeypatch.setattr(users, "_PAGE_SIZE", 7)
    rng = np.random.default_rng(1)
    for n in range(60):
        await act(store, f"user {n}:{{x}}", *rng.choice(400, 3, replace=False).tolist())
    members, considered, complete = await recommender.audience(AudienceQuery("i00007", 10), None)
    assert (considered, complete) == (60, True)
    raised, expected, tower = 0, {}, recommender.bundle.user_tower()
    for n in range(60):
        user_id = f"user {n}:{{x}}"
        state = state_of(await store.read(user_id, recommender.bundle_id), recommender.bundle)
        [vector] = tower.user_vectors([state.history], [state.profile])
        scores = recommender.bundle.item_vectors @ vector
        gain = neighbour_gains(recommender.bundle, newest_items_of(recommender.bundle, state.history)).score_of(7)
        raised += gain > 0
        expected[user_id] = float((scores[7] + gain - scores.mean()) / scores.std())
    assert 0 < raised < 60
    assert dict(members) == pytest.approx({user_id: expected[user_id] for user_id, _ in members}, abs=1e-3)
    assert [user_id for user_id, _ in members] == sorted(expected, key=expected.__getitem__, reverse=True)[:10]


async def test_users_who_hid_the_item_and_unknown_users_are_left_out(opened) -> None:
    recommender, store = opened
    await act(store, "buyer", 7)
    await act(store, "hides", 8)
    await act(store, "hides", 7, event_type=EventType.HIDE)
    await act(store, "other", 9)
    await store.set_profile("reader", Profile("Tea."), np.ones(384, np.float32) / 20)
    await act(store, "erased", 7)
    await store.delete_user("erased")
    await act(store, "stranger", 0)
    await store.write_events([Event("x", "unknown taste", "no such item", EventType.VIEW, WHEN)])
    anyone, _, _ = await recommender.audience(AudienceQuery("i00007", 100), None)
    assert {user_id for user_id, _ in anyone} == {"buyer", "other", "reader", "stranger"}
    new_buyers, _, _ = await recommender.audience(AudienceQuery("i00007", 100, new_buyers_only=True), None)
    assert {user_id for user_id, _ in new_buyers} == {"other", "reader", "stranger"}
    # No user vector was written to Redis for it.
    assert (await store.read("other", recommender.bundle_id)).user_vector is None


async def test_short_deadline_returns_the_users_considered_so_far(opened) -> None:
    recommender, store = opened
    await act(store, "ann", 7)
    now = asyncio.get_running_loop().time()
    assert await recommender.audience(AudienceQuery("i00007", 5), now + 0.01) == ([], 0, False)
    assert (await recommender.audience(AudienceQuery("i00007", 5), now + 60))[2]


async def test_unknown_item_is_refused(opened) -> None:
    with pytest.raises(ItemNotFound):
        await opened[0].audience(AudienceQuery("no such", 5), None)


async def test_a_third_audience_at_the_same_time_is_refused_and_later_ones_are_not(opened) -> None:
    recommender, store = opened
    for n in range(40):
        await act(store, f"u{n}", n)
    calls = [recommender.audience(AudienceQuery("i00007", 3), None) for _ in range(5)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(answer, TooBusy) for answer in answers] == [False] * MOST_AT_ONCE + [True] * 3
    assert answers[0] == answers[1]
    assert await recommender.audience(AudienceQuery("i00007", 3), None) == answers[0]


async def test_an_audience_for_a_caller_without_a_deadline_has_an_end(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    recommender, store = opened
    await act(store, "someone", 3)
    monkeypatch.setattr(audience, "LONGEST_SECONDS", 0.0)
    assert await recommender.audience(AudienceQuery("i00007", 3), None) == ([], 0, False)


async def test_pages_have_every_user_once_and_in_the_order_of_one_long_list(opened) -> None:
    recommender, store = opened
    rng = np.random.default_rng(3)
    for n in range(25):
        await act(store, f"u{n}", *rng.choice(400, 3, replace=False).tolist())
    at_once, _, _ = await recommender.audience(AudienceQuery("i00007", 100), None)
    paged, after = [], None
    while True:
        members, considered, _ = await recommender.audience(AudienceQuery("i00007", 10, after=after), None)
        paged += members
        assert considered == 25
        if len(members) < 10:
            break
        after = AudiencePlace(recommender.bundle_id, members[-1][1], members[-1][0])
    assert paged == at_once
    assert len(paged) == 25


async def test_a_page_after_one_of_another_bundle_is_refused(opened) -> None:
    with pytest.raises(InvalidRequest, match="another bundle"):
        await opened[0].audience(AudienceQuery("i00007", 5, after=AudiencePlace("other", 0.5, "u")), None)
