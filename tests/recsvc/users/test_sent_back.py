"""An item that a user bought and sent back does not count as bought, with a real store and a real bundle."""

from dataclasses import replace

import pytest

from recsvc.domain.arrays import MICROSECONDS_A_DAY as DAY
from recsvc.domain.audience_query import AudienceQuery
from recsvc.domain.query import Query, RecommendationList, RepeatPolicy, Surface
from recsvc.domain.reason import EvidenceKind
from recsvc.domain.shop import Event, EventType
from recsvc.pipeline.recommender import Recommender
from recsvc.store import UserStore

NOW = 1_750_000_000_000_000
BUY, BACK, HIDE = EventType.PURCHASE, EventType.RETURN, EventType.HIDE
X, Y = "i00003", "i00008"
ABOUT_THE_ITEM = {EvidenceKind.REPEAT_PURCHASE, EvidenceKind.REPEAT_INTERVAL}
OF_ALL = Query("ann", 400, time=NOW, repeats=RepeatPolicy.ALLOW)


async def act(
    store: UserStore, item_id: str, *acts: tuple[float, EventType], pieces: float = 1, user: str = "ann"
) -> None:
    """Acts as (days ago, type)."""
    events = [
        Event(f"{item_id}{days}{kind}{pieces}", user, item_id, kind, NOW - int(days * DAY), pieces)
        for days, kind in acts
    ]
    await store.write_events(events)


def ids(answer: RecommendationList) -> list[str]:
    return [recommendation.item.item_id for recommendation in answer.recommendations]


def said(answer: RecommendationList, item_id: str) -> list[tuple[EvidenceKind, int, int]]:
    """What the reasons say of an item: kind, count and days since the last purchase."""
    return [
        (fact.kind, fact.count, fact.elapsed)
        for r in answer.recommendations
        if r.reason
        for fact in r.reason.evidence
        if (r.item.item_id == item_id and fact.kind in ABOUT_THE_ITEM)
        or (fact.anchor and fact.anchor.item_id == item_id)
    ]


async def test_no_reason_names_an_item_that_was_sent_back_each_time(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await act(store, Y, (50, BUY))
    await act(store, X, (60, BUY), (40, BUY), (20, BUY))
    bought = await recommender.recommend(OF_ALL)
    assert {kind for kind, *_ in said(bought, X)} & {EvidenceKind.HISTORY_ITEM, EvidenceKind.CO_PURCHASE}
    asked = replace(OF_ALL, candidates=(X,))
    assert said(await recommender.recommend(asked), X) == [(EvidenceKind.REPEAT_PURCHASE, 3, 20)]
    await act(store, X, (59, BACK), (39, BACK), (19, BACK))
    for query in (OF_ALL, asked, replace(OF_ALL, surface=Surface.POPULAR)):
        assert said(await recommender.recommend(query), X) == []


async def test_reason_counts_the_purchases_that_were_kept(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await act(store, X, (60, BUY), (40, BUY), (20, BUY), (19, BACK))
    answer = await recommender.recommend(replace(OF_ALL, candidates=(X,)))
    assert said(answer, X) == [(EvidenceKind.REPEAT_PURCHASE, 2, 40)]


async def test_taste_profile_counts_what_was_kept(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await act(store, X, (60, BUY), (40, BUY), (39, BACK))
    await act(store, Y, (30, BUY), (10, BACK))
    profile = await recommender.taste_profile("ann")
    assert profile.purchases == 1
    assert [share.value for share in profile.categories] == [" > ".join(recommender.catalogue.items[3].categories)]


async def test_part_of_an_order_that_was_sent_back_leaves_it_bought(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await act(store, X, (60, BUY), pieces=3)
    await act(store, X, (50, BACK), pieces=2)
    buy_again = replace(OF_ALL, surface=Surface.BUY_AGAIN)
    assert ids(await recommender.recommend(buy_again)) == [X]
    await act(store, X, (40, BACK), pieces=1)
    assert ids(await recommender.recommend(buy_again)) == []


async def test_item_sent_back_and_bought_again_is_bought_since_then(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await act(store, X, (300, BUY), (290, BACK), (2, BUY))
    due = replace(OF_ALL, surface=Surface.BUY_AGAIN, repeats=RepeatPolicy.WHEN_DUE)
    assert ids(await recommender.recommend(due)) == []
    assert ids(await recommender.recommend(replace(due, repeats=RepeatPolicy.ALLOW))) == [X]


async def test_item_sent_back_need_not_become_due(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await act(store, X, (2, BUY), (1, BACK))
    assert X in ids(await recommender.recommend(replace(OF_ALL, repeats=RepeatPolicy.WHEN_DUE)))
    assert X not in ids(await recommender.recommend(replace(OF_ALL, repeats=RepeatPolicy.EXCLUDE)))


async def test_hidden_item_that_was_bought_and_sent_back_stays_hidden(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await act(store, X, (30, HIDE), (20, BUY))
    assert X in ids(await recommender.recommend(OF_ALL))
    await act(store, X, (10, BACK))
    assert X not in ids(await recommender.recommend(OF_ALL))


@pytest.mark.parametrize("sent_back", [False, True])
async def test_shop_without_repeats_lists_nothing_that_was_ever_bought(
    opened: tuple[Recommender, UserStore], monkeypatch: pytest.MonkeyPatch, sent_back: bool
) -> None:
    recommender, store = opened
    monkeypatch.setattr("recsvc.pipeline.query_plan.QueryPlanner._excludes_bought", lambda planner, query: True)
    await act(store, X, (30, BUY), *([(20, BACK)] if sent_back else []))
    answer = await recommender.recommend(replace(OF_ALL, repeats=RepeatPolicy.UNSPECIFIED))
    assert X not in ids(answer)


async def test_audience_of_new_buyers_has_those_who_sent_the_item_back(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    for user in ("keeps", "returns", "keeps one"):
        await act(store, Y, (50, BUY), user=user)
        await act(store, X, (30, BUY), user=user)
    await act(store, X, (20, BUY), user="keeps one")
    for user in ("returns", "keeps one"):
        await act(store, X, (10, BACK), user=user)
    members, _, _ = await recommender.audience(AudienceQuery(X, 10, new_buyers_only=True), None)
    assert [user_id for user_id, _ in members] == ["returns"]


async def test_returns_move_the_list_to_that_of_a_user_who_never_bought(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    for user in ("ann", "twin"):
        await act(store, Y, (5, BUY), user=user)
    await act(store, X, (60, BUY), (50, BUY), user="ann")
    twin = ids(await recommender.recommend(replace(OF_ALL, user_id="twin")))
    assert ids(await recommender.recommend(OF_ALL)) != twin
    # Two pieces in one return.
    await act(store, X, (40, BACK), pieces=2, user="ann")
    assert ids(await recommender.recommend(OF_ALL)) == twin
