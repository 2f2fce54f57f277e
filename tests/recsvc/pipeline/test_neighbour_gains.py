"""Neighbours of the history in the lists that are served: exact, at once, and never an item that may not be listed."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.query import ItemFilter, Query, RepeatPolicy, Surface
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import Event, EventType, Item, Taste
from recsvc.model.history_bonus import history_bonus
from recsvc.pipeline.recommender import Recommender
from recsvc.store import UserStore
from recsvc.users.user_state import state_of

WHEN, NOW = 1_740_000_000_000_000, 1_750_000_000_000_000
QUERY = Query("ann", 20, time=NOW, reasons=False)

Opened = tuple[Recommender, UserStore]


async def act(store: UserStore, user_id: str, *rows: int, kind: EventType = EventType.PURCHASE) -> None:
    events = [Event(f"{user_id}{row}{kind}", user_id, f"i{row:05}", kind, WHEN + row) for row in rows]
    await store.write_events(events)


async def listed(recommender: Recommender, query: Query) -> list[str]:
    return [r.item.item_id for r in (await recommender.recommend(query)).recommendations]


async def neighbour_part(recommender: Recommender, query: Query, item_id: str) -> float:
    return dict((await recommender.diagnose(query, item_id)).blocks).get("neighbours", 0.0)


async def test_lists_are_the_exact_best_of_a_full_scan_with_the_gains(opened: Opened) -> None:
    recommender, store = opened
    bundle, rng = recommender.bundle, np.random.default_rng(6)
    tower, changed = bundle.user_tower(), 0
    kitchen = np.array([item.categories[0] == "Kitchen" for item in bundle.catalogue.items])
    for n in range(20):
        await act(store, f"u{n}", *rng.choice(400, int(rng.integers(1, 40)), replace=False).tolist())
        record = await store.read(f"u{n}", bundle.bundle_id)
        assert record is not None
        state = state_of(record, bundle)
        bonus = history_bonus(bundle, state.history, NOW)
        products = bundle.item_vectors @ tower.user_vectors([state.history], [None])[0]
        for part in (None, kitchen):
            scores = products.copy()
            scores[bonus.total.rows] += bonus.total.scores
            if part is not None:
                scores[~part] = -np.inf
            best = np.argsort(-scores, kind="stable")[:20]
            conditions = ItemFilter(categories=frozenset({("Kitchen",)})) if part is not None else ItemFilter()
            answer = (await recommender.recommend(replace(QUERY, user_id=f"u{n}", filter=conditions))).recommendations
            assert [r.item.item_id for r in answer] == [f"i{row:05}" for row in best.tolist()]
            assert [r.score for r in answer] == pytest.approx(scores[best].tolist(), abs=1e-5)
            if part is None:
                plain = products.copy()
                plain[bonus.repeats.rows] += bonus.repeats.scores
                changed += best.tolist() != np.argsort(-plain, kind="stable")[:20].tolist()
    assert changed > 10


async def test_a_purchase_a_cart_and_a_view_count_at_once(opened: Opened) -> None:
    recommender, store = opened
    await act(store, "ann", 3, 8)
    neighbour = next(row for row in recommender.bundle.neighbour_rows[41].tolist() if row not in (3, 8))
    known = set(recommender.bundle.neighbour_rows[[3, 8]].ravel().tolist())
    assert neighbour not in known
    item_id = f"i{neighbour:05}"
    assert not await neighbour_part(recommender, QUERY, item_id)
    assert await neighbour_part(recommender, replace(QUERY, viewed=("i00041",)), item_id) > 0
    assert await neighbour_part(recommender, replace(QUERY, cart=("i00041",)), item_id) > 0
    on_cart_page = replace(QUERY, surface=Surface.CART, cart=("i00041",))
    assert await neighbour_part(recommender, on_cart_page, item_id) > 0
    await act(store, "ann", 41)
    assert await neighbour_part(recommender, QUERY, item_id) > 0


async def test_the_parts_of_a_score_with_neighbours_add_up(opened: Opened) -> None:
    recommender, store = opened
    await act(store, "ann", 3, 8, 41)
    queries = (
        QUERY,
        replace(QUERY, repeats=RepeatPolicy.EXCLUDE),
        replace(QUERY, viewed=("i00020",)),
        replace(QUERY, surface=Surface.CART, cart=("i00020", "i00005")),
    )
    for query in queries:
        parts = set()
        for r in (await recommender.recommend(query)).recommendations:
            diagnosis = await recommender.diagnose(query, r.item.item_id)
            assert diagnosis.rank == diagnosis.listed_rank == r.rank
            assert sum(score for _, score in diagnosis.blocks) == pytest.approx(r.score, abs=1e-5)
            parts |= {name for name, _ in diagnosis.blocks}
        assert "neighbours" in parts


async def test_disliked_items_gain_nothing(opened: Opened) -> None:
    recommender, store = opened
    await act(store, "ann", 3)
    item_id = f"i{recommender.bundle.neighbour_rows[3, 0]:05}"
    assert await neighbour_part(recommender, QUERY, item_id) > 0
    await store.update_taste("ann", Taste(less_items=frozenset({item_id})), Taste(), 10)
    assert not await neighbour_part(recommender, QUERY, item_id)
    await store.update_taste("ann", Taste(less_items=frozenset({"i00003"})), Taste(), 10)  # what raised the others
    assert not await neighbour_part(recommender, QUERY, f"i{recommender.bundle.neighbour_rows[3, 1]:05}")


async def test_deleted_sold_out_and_hidden_neighbours_are_never_listed(opened: Opened) -> None:
    recommender, store = opened
    await act(store, "ann", 3)
    deleted, sold_out, hidden = (f"i{row:05}" for row in recommender.bundle.neighbour_rows[3, :3].tolist())
    assert {deleted, sold_out, hidden} <= set(await listed(recommender, replace(QUERY, k=400)))
    recommender.snapshot.inventory.apply([ItemChange(deleted, ItemField.DELETED, 1, 1.0)])
    recommender.snapshot.inventory.apply([ItemChange(sold_out, ItemField.STOCK, 1, 0.0)])
    await store.write_events([Event("h", "ann", hidden, EventType.HIDE, WHEN + 9)])
    for query in (QUERY, replace(QUERY, k=400), replace(QUERY, surface=Surface.CART, cart=("i00003",))):
        assert not {deleted, sold_out, hidden} & set(await listed(recommender, query))


async def test_a_new_item_gains_for_buyers_of_items_with_its_text_until_it_is_deleted(opened: Opened) -> None:
    recommender, store = opened
    bundle = recommender.bundle
    await act(store, "ann", 3)
    await act(store, "new buyer", 8)
    vector = bundle.restored(np.array([3], np.int32))[0]
    content = ItemContent(Item("new", bundle.catalogue.items[3].title), vector, bundle.model.text_encoder_fingerprint)
    snapshot = await recommender.snapshot.with_changes([ItemChange("new", ItemField.CONTENT, 1, content)])
    later = recommender.with_snapshot(snapshot)
    assert await neighbour_part(later, QUERY, "new") > 0
    assert not await neighbour_part(later, replace(QUERY, user_id="new buyer"), "new")
    complete = await listed(later, replace(QUERY, k=401))
    assert "new" in complete
    # Who buys the new item gets the bought items of nearest text.
    await store.write_events([Event("n", "new buyer", "new", EventType.PURCHASE, WHEN + 99)])
    assert await neighbour_part(later, replace(QUERY, user_id="new buyer"), "i00003") > 0
    # Requests that began before it came do not see it.
    assert "new" not in await listed(recommender, replace(QUERY, k=401))
    assert await later.snapshot.with_changes([ItemChange("new", ItemField.DELETED, 2, 1.0)]) is later.snapshot
    assert "new" not in await listed(later, replace(QUERY, k=401))
