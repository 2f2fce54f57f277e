"""The recommender with a real store and a real bundle, without gRPC."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.degradation import Degradation
from recsvc.domain.query import ItemFilter, Query, RepeatPolicy
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType, Item, Profile
from recsvc.errors import ItemNotFound, TextEncoderError
from recsvc.pipeline.recommender import Recommender
from recsvc.registry.backend import Backend
from recsvc.retrieval import inventory
from recsvc.store import UserStore, hash_of
from tests.recsvc.pipeline.contract_filter import passes, random_filter

QUERY = Query("ann", 10, time=1_750_000_000_000_000)


async def buy(store: UserStore, recommender: Recommender, *rows: int) -> None:
    items = recommender.catalogue.items
    await store.write_events(
        [
            Event(f"e{row}", "ann", items[row].item_id, EventType.PURCHASE, 1_740_000_000_000_000 + 10**10 * i)
            for i, row in enumerate(rows)
        ]
    )


async def test_list_of_all_items_has_each_once(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    answer = await recommender.recommend(replace(QUERY, k=1_000))
    assert len({r.item.item_id for r in answer.recommendations}) == len(answer.recommendations) == 400
    assert [r.rank for r in answer.recommendations] == list(range(1, 401))
    new = await recommender.recommend(replace(QUERY, k=1_000, repeats=RepeatPolicy.EXCLUDE))
    assert len(new.recommendations) == 397


async def test_same_page_gets_the_same_reasons_among_other_requests(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20, 50)
    alone = await recommender.recommend(QUERY)
    # Among concurrent searches of other lengths, and without what the process kept.
    recommender.forget({hash_of("ann")})
    others = [replace(QUERY, user_id=f"other{i}", k=5 * i + 1) for i in range(9)]
    among, *_ = await asyncio.gather(*map(recommender.recommend, [QUERY, *others]))
    assert [r.item for r in among.recommendations] == [r.item for r in alone.recommendations]
    assert [r.reason and r.reason.text for r in among.recommendations] == [
        r.reason and r.reason.text for r in alone.recommendations
    ]
    assert any(r.reason for r in alone.recommendations)


async def test_item_called_causal_leaves_the_list_without_its_anchor(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8)
    answer = await recommender.recommend(replace(QUERY, repeats=RepeatPolicy.EXCLUDE))
    causal = {
        (recommendation.item.item_id, evidence.anchor.item_id)
        for recommendation in answer.recommendations
        for evidence in (recommendation.reason.evidence if recommendation.reason else ())
        if evidence.kind is EvidenceKind.HISTORY_ITEM and evidence.strength is Strength.CAUSAL and evidence.anchor
    }
    assert causal
    items = recommender.catalogue.items
    for kept, left_out in ((3, 8), (8, 3)):
        await store.delete_user("ann")
        recommender.forget({hash_of("ann")})
        await buy(store, recommender, kept)
        without = await recommender.recommend(replace(QUERY, repeats=RepeatPolicy.EXCLUDE))
        shown = {recommendation.item.item_id for recommendation in without.recommendations}
        assert not shown & {item for item, anchor in causal if anchor == items[left_out].item_id}


async def test_hidden_item_is_not_listed_until_it_is_bought(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8)
    complete = replace(QUERY, k=1_000)
    hidden = (await recommender.recommend(complete)).recommendations[0].item.item_id
    when = 1_745_000_000_000_000
    await store.write_events([Event("h1", "ann", hidden, EventType.HIDE, when)])
    without = (await recommender.recommend(complete)).recommendations
    assert len(without) == 399
    assert hidden not in {r.item.item_id for r in without}
    await store.write_events([Event("h2", "ann", hidden, EventType.PURCHASE, when - 1)])
    assert hidden not in {r.item.item_id for r in (await recommender.recommend(complete)).recommendations}
    await store.write_events([Event("h3", "ann", hidden, EventType.PURCHASE, when + 1)])
    assert hidden in {r.item.item_id for r in (await recommender.recommend(complete)).recommendations}


async def test_list_without_the_required_events_is_marked_stale(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    item_id = recommender.catalogue.items[3].item_id
    versions = await store.write_events([Event("e1", "ann", item_id, EventType.PURCHASE, 1_740_000_000_000_000)])
    seen = await recommender.recommend(replace(QUERY, min_freshness=versions["ann"]))
    assert seen.degraded == ()
    await store.delete_user("ann")
    erased = await recommender.recommend(replace(QUERY, min_freshness=versions["ann"]))
    assert erased.degraded == (Degradation.STALE,)


async def test_filtered_list_equals_the_complete_list_filtered(
    opened: tuple[Recommender, UserStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    items = recommender.catalogue.items
    # Scores do not depend on the filter, so the expected list is the complete list without what does not match.
    everything = (await recommender.recommend(replace(QUERY, k=400, reasons=False))).recommendations
    rng = random.Random(1)
    for few_items in (inventory.FEW_ITEMS, 10):
        monkeypatch.setattr(inventory, "FEW_ITEMS", few_items)
        recommender.snapshot.inventory.apply([])  # drops the selections that it keeps
        for _ in range(100):
            item_filter = random_filter(rng, items)
            k, backfill = rng.choice((1, 5, 50)), rng.random() < 0.5
            excluded = frozenset(rng.choice(items).item_id for _ in range(rng.choice((0, 3))))
            query = replace(
                QUERY, k=k, reasons=False, filter=item_filter, backfill=backfill, excluded_item_ids=excluded
            )
            listed = (await recommender.recommend(query)).recommendations
            allowed = [r.item for r in everything if r.item.item_id not in excluded]
            allowed = [item for item in allowed if passes(item, item_filter.exclusions())]
            expected = [item for item in allowed if passes(item, item_filter)][:k]
            assert [r.item for r in listed if not r.backfilled] == expected
            if backfill and len(expected) < k:
                rest = [item for item in allowed if item not in expected]
                expected += rest[: k - len(expected)]
            assert [r.item for r in listed] == expected
            assert [r.rank for r in listed] == list(range(1, len(expected) + 1))
            assert all(
                r.score == pytest.approx(e.score, abs=1e-5) for r in listed for e in everything if e.item == r.item
            )


async def test_visit_ranks_as_written_events_would_and_is_not_kept(
    opened: tuple[Recommender, UserStore],
) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    viewed, in_cart = [recommender.catalogue.items[row].item_id for row in (50, 60)]
    query = replace(QUERY, k=50, reasons=False)
    before = await recommender.recommend(query)
    visit = await recommender.recommend(replace(query, viewed=(viewed, "unknown"), cart=(in_cart,)))
    assert [r.item for r in visit.recommendations] != [r.item for r in before.recommendations]
    assert not {viewed, in_cart} & {r.item.item_id for r in visit.recommendations}
    again = await recommender.recommend(query)
    assert again.recommendations == before.recommendations

    assert QUERY.time is not None
    events = [
        Event("v", "ann", viewed, EventType.VIEW, QUERY.time),
        Event("c", "ann", in_cart, EventType.ADD_TO_CART, QUERY.time),
    ]
    await store.write_events(events)
    written = await recommender.recommend(replace(query, excluded_item_ids=frozenset({viewed, in_cart})))
    assert [r.item for r in written.recommendations] == [r.item for r in visit.recommendations]

    stranger = await recommender.recommend(replace(query, user_id="nobody", viewed=(viewed,)))
    assert stranger.personalised
    assert not (await recommender.recommend(replace(query, user_id="nobody"))).personalised


async def test_candidates_are_ranked_as_in_the_complete_list(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    everything = (await recommender.recommend(replace(QUERY, k=400, reasons=False))).recommendations
    items = recommender.catalogue.items
    hidden, sold_out = items[30].item_id, items[31].item_id
    await store.write_events([Event("h", "ann", hidden, EventType.HIDE, 1_745_000_000_000_000)])
    recommender.snapshot.inventory.apply([ItemChange(sold_out, ItemField.STOCK, 1, 0.0)])
    candidates = ("no such", *(items[row].item_id for row in (20, 3, 30, 31, 99, 200, 99)))
    answer = await recommender.recommend(replace(QUERY, k=len(candidates), candidates=candidates))
    ranked = [r.item.item_id for r in answer.recommendations]
    assert set(ranked) == set(candidates) - {"no such", hidden, sold_out}
    order = [r.item.item_id for r in everything if r.item.item_id in ranked]
    assert ranked == order
    assert any(r.reason for r in answer.recommendations)


async def test_lists_of_one_page_share_no_item(backend: Backend, user_store: UserStore) -> None:
    recommender, store = backend.registry.current, user_store
    await buy(store, recommender, 3, 8, 20)
    item = recommender.catalogue.items[3]
    excluded = frozenset({recommender.catalogue.items[50].item_id})
    queries = [
        replace(QUERY, k=30),
        replace(QUERY, k=20, filter=ItemFilter(categories=frozenset({item.categories[:1]})), backfill=True),
        replace(QUERY, k=400, excluded_item_ids=excluded),
    ]
    first, second, third = await backend.router.recommend_page(queries)
    shown = [{r.item.item_id for r in answer.recommendations} for answer in (first, second, third)]
    assert [len(items) for items in shown] == [30, 20, 400 - 30 - 20 - len(excluded - shown[0] - shown[1])]
    assert not shown[0] & shown[1]
    assert not (shown[0] | shown[1]) & shown[2]
    alone = await recommender.recommend(queries[0])
    assert first.recommendations == alone.recommendations
    assert len({answer.recommendation_id for answer in (first, second, third)}) == 3


async def test_similar_items_match_the_filter(opened: tuple[Recommender, UserStore]) -> None:
    recommender, _ = opened
    item = recommender.catalogue.items[3]
    answer = await recommender.similar_items(item.item_id, 5, frozenset(), ItemFilter(brands=frozenset({item.brand})))
    assert answer.neighbours
    assert {r.item.brand for r in answer.neighbours} == {item.brand}


async def test_short_deadline_drops_reasons_and_keeps_the_list(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    urgent = replace(QUERY, deadline=asyncio.get_running_loop().time() + 0.01)
    answer = await recommender.recommend(urgent)
    assert answer.degraded == (Degradation.REASONS_DROPPED,)
    assert len(answer.recommendations) == 10
    assert not any(r.reason for r in answer.recommendations)
    unhurried = await recommender.recommend(QUERY)
    assert unhurried.degraded == ()
    assert [r.item for r in unhurried.recommendations] == [r.item for r in answer.recommendations]


async def test_profile_alone_personalises_the_list(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    assert not (await recommender.recommend(QUERY)).personalised
    profile = Profile("Bakes bread every weekend.")
    embedding = recommender.bundle.features.projection[:384, 0]  # any direction will do
    await store.set_profile("ann", profile, embedding)
    with_profile = await recommender.recommend(QUERY)
    assert with_profile.personalised
    await store.delete_user("ann")
    assert not (await recommender.recommend(QUERY)).personalised


async def test_similar_items_of_unknown_item_are_refused(opened: tuple[Recommender, UserStore]) -> None:
    recommender, _ = opened
    with pytest.raises(ItemNotFound, match="no such"):
        await recommender.similar_items("no such", 5, frozenset(), ItemFilter())


async def test_stock_change_keeps_the_snapshot_and_new_item_makes_another(
    opened: tuple[Recommender, UserStore],
) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8)
    before = await recommender.recommend(replace(QUERY, reasons=False))
    snapshot, sold_out = recommender.snapshot, before.recommendations[0].item.item_id
    assert await snapshot.with_changes([ItemChange(sold_out, ItemField.STOCK, 1, 0.0)]) is snapshot
    assert recommender.with_snapshot(snapshot) is recommender

    embedding, encoder = np.full(384, 0.05, np.float32), recommender.bundle.model.text_encoder_fingerprint
    kettle = ItemContent(Item("new", "A copper kettle"), embedding, encoder)
    later = recommender.with_snapshot(await snapshot.with_changes([ItemChange("new", ItemField.CONTENT, 1, kettle)]))
    assert later.knows_item("new")
    assert not recommender.knows_item("new")
    listed = {r.item.item_id for r in (await later.recommend(replace(QUERY, k=1_000))).recommendations}
    assert len(listed) == 400
    assert "new" in listed
    assert sold_out not in listed  # the later inventory still has the change
    again = await later.snapshot.with_changes([ItemChange("new", ItemField.CONTENT, 1, kettle)])
    assert again is later.snapshot  # an equal change is not news


def test_text_encoder_of_another_bundle_is_refused(small_bundle: Path) -> None:
    with pytest.raises(TextEncoderError, match="set text_encoder"):
        Backend(ServingConfig(bundle=small_bundle, text_encoder="multilingual"), None)  # type: ignore[arg-type]
