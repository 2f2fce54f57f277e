"""The diagnosis of an item, checked against the list itself."""

import random
from dataclasses import replace

import pytest

from recsvc.domain.query import ItemFilter, Pin, Query, RepeatPolicy, Rules, Surface
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.shop import Event, EventType
from recsvc.pipeline.recommender import Recommender
from recsvc.pipeline.why_not import Obstacle
from recsvc.store import UserStore
from tests.recsvc.pipeline.contract_filter import passes, random_filter

WHEN = 1_740_000_000_000_000
QUERY = Query("ann", 10, time=1_750_000_000_000_000, reasons=False)


@pytest.fixture
async def bought(opened: tuple[Recommender, UserStore]) -> tuple[Recommender, UserStore]:
    """Ann has bought three items."""
    events = [Event(f"e{row}", "ann", f"i{row:05}", EventType.PURCHASE, WHEN) for row in (3, 8, 20)]
    await opened[1].write_events(events)
    return opened


async def obstacles(recommender: Recommender, query: Query, item_id: str) -> set[Obstacle]:
    return set((await recommender.diagnose(query, item_id)).obstacles)


async def test_rank_and_score_equal_those_of_the_list(bought) -> None:
    recommender, _ = bought
    complete = (await recommender.recommend(replace(QUERY, k=400))).recommendations
    for r in (complete[0], complete[9], complete[10], complete[250], complete[399]):
        diagnosis = await recommender.diagnose(QUERY, r.item.item_id)
        assert (diagnosis.rank, diagnosis.listed_rank) == (r.rank, r.rank if r.rank <= 10 else 0)
        assert diagnosis.score == pytest.approx(r.score, abs=1e-5)
        assert sum(score for _, score in diagnosis.blocks) == pytest.approx(r.score, abs=1e-5)
        assert set(diagnosis.obstacles) == ({Obstacle.SCORE} if r.rank > 10 else set())
    repeat = await recommender.diagnose(QUERY, "i00003")
    assert dict(repeat.blocks).get("repeat", 0.0) >= 0


async def test_each_obstacle_is_reported(bought) -> None:
    recommender, store = bought
    discovered = await recommender.recommend(replace(QUERY, repeats=RepeatPolicy.EXCLUDE))
    first, second, third, fourth, fifth, *_ = [r.item.item_id for r in discovered.recommendations]
    recommender.snapshot.inventory.apply([ItemChange(first, ItemField.STOCK, 1, 0.0)])
    recommender.snapshot.inventory.apply([ItemChange(second, ItemField.DELETED, 1, 1.0)])
    await store.write_events([Event("h", "ann", third, EventType.HIDE, WHEN)])
    assert await obstacles(recommender, QUERY, "no such") == {Obstacle.UNKNOWN_ITEM}
    assert await obstacles(recommender, QUERY, first) == {Obstacle.OUT_OF_STOCK}
    assert await obstacles(recommender, QUERY, second) == {Obstacle.DELETED}
    assert await obstacles(recommender, QUERY, third) == {Obstacle.HIDDEN}
    excluding = replace(QUERY, excluded_item_ids=frozenset({fourth}), viewed=(fifth,))
    assert await obstacles(recommender, excluding, fourth) == {Obstacle.EXCLUDED}
    assert await obstacles(recommender, excluding, fifth) == {Obstacle.IN_VISIT}
    new_only = replace(QUERY, repeats=RepeatPolicy.EXCLUDE)
    assert await obstacles(recommender, new_only, "i00003") == {Obstacle.REPEAT_POLICY}
    items = recommender.catalogue.items
    other = next(item for item in items if item.brand != items[50].brand)
    brand = replace(QUERY, filter=ItemFilter(brands=frozenset({items[50].brand})))
    assert await obstacles(recommender, brand, other.item_id) == {Obstacle.FILTER}
    assert await obstacles(recommender, replace(QUERY, surface=Surface.BUY_AGAIN), fourth) == {Obstacle.SURFACE}
    capped = replace(QUERY, rules=Rules(max_per_category=1), k=20)
    shown = {r.item.item_id for r in (await recommender.recommend(capped)).recommendations}
    plain = [r.item.item_id for r in (await recommender.recommend(replace(capped, rules=Rules()))).recommendations]
    left_out = [item_id for item_id in plain if item_id not in shown]
    for item_id in left_out:  # those that rank below the length of the short list too
        assert await obstacles(recommender, capped, item_id) == {Obstacle.RULES}


async def test_an_item_of_a_higher_score_than_a_listed_one_is_kept_out_by_rules(bought) -> None:
    recommender, _ = bought
    plain = [r.item for r in (await recommender.recommend(replace(QUERY, k=60))).recommendations]
    capped = replace(QUERY, rules=Rules(max_per_brand=1), k=10)
    listed = [r.item.item_id for r in (await recommender.recommend(capped)).recommendations]
    lowest = max(rank for rank, item in enumerate(plain) if item.item_id in listed)
    assert lowest > capped.k
    for item in plain[:lowest]:
        expected = set() if item.item_id in listed else {Obstacle.RULES}
        assert await obstacles(recommender, capped, item.item_id) == expected
    assert await obstacles(recommender, replace(QUERY, k=10), plain[10].item_id) == {Obstacle.SCORE}
    last = plain[-1].item_id
    pinned = replace(QUERY, k=10, rules=Rules(pins=(Pin(last, 1),)))
    assert await obstacles(recommender, pinned, plain[9].item_id) == {Obstacle.RULES}
    assert await obstacles(recommender, pinned, plain[20].item_id) == {Obstacle.SCORE}


async def test_item_has_no_obstacle_exactly_if_it_is_listed(bought) -> None:
    recommender, _ = bought
    items, rng = recommender.catalogue.items, random.Random(5)
    for _ in range(60):
        query = replace(
            QUERY,
            k=rng.choice((5, 50)),
            filter=random_filter(rng, items),
            backfill=rng.random() < 0.3,
            surface=rng.choice(list(Surface)),
            rules=rng.choice((Rules(), Rules(max_per_brand=1, diversity=0.3))),
        )
        listed = [r.item.item_id for r in (await recommender.recommend(query)).recommendations]
        for item in rng.sample(items, 3) + rng.sample([i for i in items if i.item_id in listed], min(1, len(listed))):
            diagnosis = await recommender.diagnose(query, item.item_id)
            assert diagnosis.listed_rank == (listed.index(item.item_id) + 1 if item.item_id in listed else 0)
            assert bool(diagnosis.obstacles) is (item.item_id not in listed)
            assert (Obstacle.FILTER in diagnosis.obstacles) <= (not passes(item, query.filter))
