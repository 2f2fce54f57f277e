"""The use case with a real store and a real bundle, without the wire."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from recsvc.domain.query import Degradation, ItemFilter, Query, RepeatPolicy
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType, Profile
from recsvc.errors import ItemNotFound, TextEncoderError
from recsvc.pipeline.recommender import Recommender
from recsvc.registry.backend import Backend
from recsvc.retrieval import inventory as live_catalogue
from recsvc.store import UserStore, hash_of
from tests.recsvc.pipeline.contract_filter import passes, random_filter

QUERY = Query("ann", 10, time=1_750_000_000_000_000)


async def buy(store: UserStore, recommender: Recommender, *rows: int) -> None:
    items = recommender._bundle.catalogue.items
    await store.write_events(
        [
            Event(f"e{row}", "ann", items[row].item_id, EventType.PURCHASE, 1_740_000_000_000_000 + 10**10 * i)
            for i, row in enumerate(rows)
        ]
    )


async def test_every_item_once_when_all_are_asked_for(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    found = await recommender.recommend(replace(QUERY, k=1_000))
    assert len({r.item.item_id for r in found.recommendations}) == len(found.recommendations) == 400
    assert [r.rank for r in found.recommendations] == list(range(1, 401))
    new = await recommender.recommend(replace(QUERY, k=1_000, repeats=RepeatPolicy.EXCLUDE))
    assert len(new.recommendations) == 397


async def test_the_same_page_is_explained_the_same(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20, 50)
    alone = await recommender.recommend(QUERY)
    # Among other searches of other lengths, and without what the process kept.
    recommender.forget({hash_of("ann")})
    others = [replace(QUERY, user_id=f"other{i}", k=5 * i + 1) for i in range(9)]
    among, *_ = await asyncio.gather(*map(recommender.recommend, [QUERY, *others]))
    assert [r.item for r in among.recommendations] == [r.item for r in alone.recommendations]
    assert [r.reason and r.reason.text for r in among.recommendations] == [
        r.reason and r.reason.text for r in alone.recommendations
    ]
    assert any(r.reason for r in alone.recommendations)


async def test_what_is_called_causal_is(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8)
    found = await recommender.recommend(replace(QUERY, repeats=RepeatPolicy.EXCLUDE))
    causal = {
        (recommendation.item.item_id, evidence.anchor.item_id)
        for recommendation in found.recommendations
        for evidence in (recommendation.reason.evidence if recommendation.reason else ())
        if evidence.kind is EvidenceKind.HISTORY_ITEM and evidence.strength is Strength.CAUSAL and evidence.anchor
    }
    assert causal
    items = recommender._bundle.catalogue.items
    for kept, left_out in ((3, 8), (8, 3)):
        await store.delete_user("ann")
        recommender.forget({hash_of("ann")})
        await buy(store, recommender, kept)
        without = await recommender.recommend(replace(QUERY, repeats=RepeatPolicy.EXCLUDE))
        shown = {recommendation.item.item_id for recommendation in without.recommendations}
        assert not shown & {item for item, anchor in causal if anchor == items[left_out].item_id}


async def test_what_is_hidden_is_in_no_list_until_it_is_bought(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8)
    every = replace(QUERY, k=1_000)
    hidden = (await recommender.recommend(every)).recommendations[0].item.item_id
    when = 1_745_000_000_000_000
    await store.write_events([Event("h1", "ann", hidden, EventType.HIDE, when)])
    without = (await recommender.recommend(every)).recommendations
    assert len(without) == 399
    assert hidden not in {r.item.item_id for r in without}
    await store.write_events([Event("h2", "ann", hidden, EventType.PURCHASE, when - 1)])
    assert hidden not in {r.item.item_id for r in (await recommender.recommend(every)).recommendations}
    await store.write_events([Event("h3", "ann", hidden, EventType.PURCHASE, when + 1)])
    assert hidden in {r.item.item_id for r in (await recommender.recommend(every)).recommendations}


async def test_a_list_that_lacks_the_events_asked_for_says_so(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    item_id = recommender._bundle.catalogue.items[3].item_id
    versions = await store.write_events([Event("e1", "ann", item_id, EventType.PURCHASE, 1_740_000_000_000_000)])
    seen = await recommender.recommend(replace(QUERY, min_freshness=versions["ann"]))
    assert seen.degraded == ()
    await store.delete_user("ann")
    erased = await recommender.recommend(replace(QUERY, min_freshness=versions["ann"]))
    assert erased.degraded == (Degradation.STALE,)


async def test_a_filter_gives_the_best_of_what_passes(
    opened: tuple[Recommender, UserStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    items = recommender._bundle.catalogue.items
    # Scores do not depend on the filter, so the right answer is the list of everything, less what does not pass.
    everything = (await recommender.recommend(replace(QUERY, k=400, reasons=False))).recommendations
    rng = random.Random(1)
    for few in (live_catalogue.FEW_ITEMS, 10):
        monkeypatch.setattr(live_catalogue, "FEW_ITEMS", few)
        recommender._live.catalogue = live_catalogue.Inventory(recommender._bundle.catalogue)
        for _ in range(100):
            item_filter = random_filter(rng, items)
            k, backfill = rng.choice((1, 5, 50)), rng.random() < 0.5
            excluded = frozenset(rng.choice(items).item_id for _ in range(rng.choice((0, 3))))
            query = replace(
                QUERY, k=k, reasons=False, filter=item_filter, backfill=backfill, excluded_item_ids=excluded
            )
            found = (await recommender.recommend(query)).recommendations
            allowed = [r.item for r in everything if r.item.item_id not in excluded]
            allowed = [item for item in allowed if passes(item, item_filter.exclusions())]
            expected = [item for item in allowed if passes(item, item_filter)][:k]
            assert [r.item for r in found if not r.backfilled] == expected
            if backfill and len(expected) < k:
                rest = [item for item in allowed if item not in expected]
                expected += rest[: k - len(expected)]
            assert [r.item for r in found] == expected
            assert [r.rank for r in found] == list(range(1, len(expected) + 1))
            assert all(
                r.score == pytest.approx(e.score, abs=1e-5) for r in found for e in everything if e.item == r.item
            )


async def test_a_visit_moves_the_list_as_its_events_would_and_is_not_kept(
    opened: tuple[Recommender, UserStore],
) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    seen, put = [recommender._bundle.catalogue.items[row].item_id for row in (50, 60)]
    query = replace(QUERY, k=50, reasons=False)
    before = await recommender.recommend(query)
    visit = await recommender.recommend(replace(query, viewed=(seen, "unknown"), cart=(put,)))
    assert [r.item for r in visit.recommendations] != [r.item for r in before.recommendations]
    assert not {seen, put} & {r.item.item_id for r in visit.recommendations}
    again = await recommender.recommend(query)
    assert again.recommendations == before.recommendations

    assert QUERY.time is not None
    events = [
        Event("v", "ann", seen, EventType.VIEW, QUERY.time),
        Event("c", "ann", put, EventType.ADD_TO_CART, QUERY.time),
    ]
    await store.write_events(events)
    written = await recommender.recommend(replace(query, excluded_item_ids=frozenset({seen, put})))
    assert [r.item for r in written.recommendations] == [r.item for r in visit.recommendations]

    stranger = await recommender.recommend(replace(query, user_id="nobody", viewed=(seen,)))
    assert stranger.personalised
    assert not (await recommender.recommend(replace(query, user_id="nobody"))).personalised


async def test_candidates_are_ranked_as_in_the_list_of_everything(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    everything = (await recommender.recommend(replace(QUERY, k=400, reasons=False))).recommendations
    items = recommender._bundle.catalogue.items
    hidden, sold_out = items[30].item_id, items[31].item_id
    await store.write_events([Event("h", "ann", hidden, EventType.HIDE, 1_745_000_000_000_000)])
    recommender._live.catalogue.apply([ItemChange(sold_out, ItemField.STOCK, 1, 0.0)])
    candidates = ("no such", *(items[row].item_id for row in (20, 3, 30, 31, 99, 200, 99)))
    found = await recommender.recommend(replace(QUERY, k=len(candidates), candidates=candidates))
    ranked = [r.item.item_id for r in found.recommendations]
    assert set(ranked) == set(candidates) - {"no such", hidden, sold_out}
    order = [r.item.item_id for r in everything if r.item.item_id in ranked]
    assert ranked == order
    assert any(r.reason for r in found.recommendations)


async def test_no_item_is_twice_on_a_page(backend: Backend, user_store: UserStore) -> None:
    recommender, store = backend.registry.current, user_store
    await buy(store, recommender, 3, 8, 20)
    item = recommender._bundle.catalogue.items[3]
    named = frozenset({recommender._bundle.catalogue.items[50].item_id})
    queries = [
        replace(QUERY, k=30),
        replace(QUERY, k=20, filter=ItemFilter(categories=frozenset({item.categories[:1]})), backfill=True),
        replace(QUERY, k=400, excluded_item_ids=named),
    ]
    first, second, third = await backend.router.recommend_page(queries)
    shown = [{r.item.item_id for r in answer.recommendations} for answer in (first, second, third)]
    assert [len(items) for items in shown] == [30, 20, 400 - 30 - 20 - len(named - shown[0] - shown[1])]
    assert not shown[0] & shown[1]
    assert not (shown[0] | shown[1]) & shown[2]
    alone = await recommender.recommend(queries[0])
    assert first.recommendations == alone.recommendations
    assert len({answer.recommendation_id for answer in (first, second, third)}) == 3


async def test_neighbours_pass_the_filter_too(opened: tuple[Recommender, UserStore]) -> None:
    recommender, _ = opened
    item = recommender._bundle.catalogue.items[3]
    found = await recommender.similar_items(item.item_id, 5, frozenset(), ItemFilter(brands=frozenset({item.brand})))
    assert found.neighbours
    assert {r.item.brand for r in found.neighbours} == {item.brand}


async def test_a_deadline_drops_reasons_before_the_list(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    await buy(store, recommender, 3, 8, 20)
    hurried = replace(QUERY, deadline=asyncio.get_running_loop().time() + 0.01)
    found = await recommender.recommend(hurried)
    assert found.degraded == (Degradation.REASONS_DROPPED,)
    assert len(found.recommendations) == 10
    assert not any(r.reason for r in found.recommendations)
    patient = await recommender.recommend(QUERY)
    assert patient.degraded == ()
    assert [r.item for r in patient.recommendations] == [r.item for r in found.recommendations]


async def test_a_profile_counts_with_and_without_a_history(opened: tuple[Recommender, UserStore]) -> None:
    recommender, store = opened
    assert not (await recommender.recommend(QUERY)).personalised
    profile = Profile("Bakes bread every weekend.")
    embedding = recommender._bundle.features.projection[:384, 0]  # any direction will do
    await store.set_profile("ann", profile, embedding)
    known = await recommender.recommend(QUERY)
    assert known.personalised
    await store.delete_user("ann")
    assert not (await recommender.recommend(QUERY)).personalised


async def test_an_unknown_item_has_no_neighbours(opened: tuple[Recommender, UserStore]) -> None:
    recommender, _ = opened
    with pytest.raises(ItemNotFound, match="no such"):
        await recommender.similar_items("no such", 5, frozenset(), ItemFilter())


def test_another_encoder_than_the_bundles_is_refused(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "recsvc.model.text_encoder.TextEncoder.load", lambda name: type("Other", (), {"fingerprint": "other"})()
    )
    with pytest.raises(TextEncoderError, match="set text_encoder"):
        Backend(ServingConfig(bundle=small_bundle), None)  # type: ignore[arg-type]
