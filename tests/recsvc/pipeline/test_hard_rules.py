"""Random shops, users and requests: no list breaks a hard rule, repeats an item, or is too short without a cause."""

import random
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.query import NO_RULES, Boost, ItemFilter, Pin, Query, Recommendation, RepeatPolicy, Rules, Surface
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import NO_TASTE, Event, EventType, Item, Taste
from recsvc.registry.backend import Backend
from recsvc.retrieval import inventory
from recsvc.runtime.metrics import GATE_VIOLATIONS
from recsvc.store import UserStore, hash_of
from tests.recsvc.pipeline.contract_filter import passes, random_filter

NOW = 1_750_000_000_000_000
USERS = ("ann", "bob", "eve")


class Shop:
    """The expected state of a shop and its users, and the service that received the same changes."""

    def __init__(self, backend: Backend, store: UserStore, seed: int) -> None:
        self.backend, self.store, self.rng = backend, store, random.Random(seed)
        self.items = {item.item_id: item for item in backend.registry.current.catalogue.items}
        self.stock: dict[str, float] = {}
        self.deleted: set[str] = set()
        self.held: dict[str, set[str]] = {user: set() for user in USERS}
        self.hidden: dict[str, set[str]] = {user: set() for user in USERS}
        self.bought: dict[str, set[str]] = {user: set() for user in USERS}  # today
        self.disliked: dict[str, set[str]] = {user: set() for user in USERS}  # by a taste that they stated
        self.time = NOW

    def any_ids(self, most: int) -> list[str]:
        return [self.rng.choice([*self.items, "unknown"]) for _ in range(self.rng.randint(0, most))]

    async def change(self) -> None:
        """Makes one random change or event."""
        self.time += 1_000_000
        item_id, user_id = self.rng.choice(list(self.items)), self.rng.choice(USERS)
        match self.rng.choice(("stock", "stock", "delete", "price", "add", "buy", "view", "hide", "taste", "erase")):
            case "stock":
                self.stock[item_id] = float(self.rng.choice((0, 0, 3)))
                await self.set(item_id, ItemField.STOCK, self.stock[item_id])
            case "delete":
                (self.deleted.discard if item_id in self.deleted else self.deleted.add)(item_id)
                await self.set(item_id, ItemField.DELETED, float(item_id in self.deleted))
            case "price":
                self.items[item_id] = replace(self.items[item_id], price=float(self.rng.randint(1, 300)))
                await self.set(item_id, ItemField.PRICE, self.items[item_id].price)
            case "add":
                await self.add_item_like(self.items[item_id])
            case "buy":
                self.hidden[user_id].discard(item_id)
                self.bought[user_id].add(item_id)
                await self.act(user_id, item_id, EventType.PURCHASE)
            case "view":
                await self.act(user_id, item_id, EventType.VIEW)
            case "hide":
                self.hidden[user_id].add(item_id)
                await self.act(user_id, item_id, EventType.HIDE)
            case "taste":
                self.disliked[user_id].add(item_id)
                await self.store.update_taste(user_id, Taste(less_items=frozenset({item_id})), NO_TASTE, 10_000)
            case "erase":
                await self.erase(user_id)

    async def add_item_like(self, item: Item) -> None:
        """Adds an item, or rewords one that was added before; its price stays."""
        item_id = f"new {self.rng.randrange(40)}"
        price = self.items[item_id].price if item_id in self.items else None
        attributes = (*item.attributes, ("finish", self.rng.choice(("red", "blue"))))
        self.items[item_id] = replace(item, item_id=item_id, price=price, attributes=attributes)
        embedding = np.random.default_rng(self.rng.randrange(99)).standard_normal(384) / 20
        encoder = self.backend.encoder.fingerprint
        content = ItemContent(replace(self.items[item_id], price=None), embedding.astype(np.float32), encoder)
        await self.set(item_id, ItemField.CONTENT, content)

    async def erase(self, user_id: str) -> None:
        await self.store.delete_user(user_id)
        await self.backend.registry.forget({hash_of(user_id)})
        for item_ids_of in (self.held, self.hidden, self.bought, self.disliked):
            item_ids_of[user_id] = set()

    async def set(self, item_id: str, field: ItemField, value: float | ItemContent | None) -> None:
        registry = self.backend.registry
        await registry.loaded[registry.bundle_id].apply([ItemChange(item_id, field, self.time, value)])

    async def act(self, user_id: str, item_id: str, event_type: EventType) -> None:
        self.held[user_id].add(item_id)
        await self.store.write_events([Event(f"{user_id}{self.time}", user_id, item_id, event_type, self.time)])

    def listable(self, item_id: str) -> bool:
        return item_id in self.items and item_id not in self.deleted and self.stock.get(item_id) != 0

    def random_rules(self) -> Rules:
        items, rng = list(self.items.values()), self.rng
        return Rules(
            tuple(Boost(random_filter(rng, items), rng.uniform(-1, 1)) for _ in range(rng.choice((0, 1, 2)))),
            tuple(random_filter(rng, items) for _ in range(rng.choice((0, 0, 1)))),
            tuple(Pin(item_id, rng.randint(1, 12)) for item_id in self.any_ids(2)),
            rng.choice((None, 1, 3)),
            rng.choice((None, 2)),
            rng.choice((0.0, 0.5)),
        )

    def random_query(self) -> Query:
        rng = self.rng
        return Query(
            rng.choice(USERS),
            rng.choice((1, 10, 100)),
            surface=rng.choice((Surface.FOR_YOU, Surface.FOR_YOU, *Surface)),
            text=rng.choice(("", "", self.items[rng.choice(list(self.items))].title)),
            rules=self.random_rules() if rng.random() < 0.4 else NO_RULES,
            exploration=rng.choice((0.0, 0.0, 0.3)),
            excluded_item_ids=frozenset(self.any_ids(5)),
            viewed=tuple(self.any_ids(3)) if rng.random() < 0.3 else (),
            cart=tuple(self.any_ids(3)) if rng.random() < 0.3 else (),
            filter=random_filter(rng, list(self.items.values())) if rng.random() < 0.6 else ItemFilter(),
            backfill=rng.random() < 0.3,
            repeats=rng.choice((RepeatPolicy.ALLOW, RepeatPolicy.EXCLUDE, RepeatPolicy.WHEN_DUE)),
            reasons=rng.random() < 0.1,
            time=self.time,
        )

    def expected(self, query: Query) -> tuple[Set[str], Set[str]]:
        """Returns the items that match the filter and may be listed now, and those that may be listed at all."""
        user_id = query.user_id
        out = {*query.excluded_item_ids, *query.viewed, *query.cart, *self.hidden[user_id]}
        if query.repeats is RepeatPolicy.EXCLUDE and query.surface is not Surface.BUY_AGAIN:
            out |= self.held[user_id]
        if query.repeats is RepeatPolicy.WHEN_DUE:  # nobody buys anything again within a day
            out |= self.bought[user_id] - self.disliked[user_id]
        if query.surface is Surface.BUY_AGAIN:
            out |= self.items.keys() - (self.bought[user_id] - self.disliked[user_id])
        allowed = {item_id for item_id in self.items if self.listable(item_id) and item_id not in out}
        match = {item_id for item_id in allowed if passes(self.items[item_id], query.filter)}
        if not query.backfill:
            return match, match
        return match, {item_id for item_id in allowed if passes(self.items[item_id], query.filter.exclusions())}

    async def check_list(self) -> None:
        query = self.random_query()
        match, allowed = self.expected(query)
        listed = (await self.backend.router.recommend(query)).recommendations
        shown = [recommendation.item.item_id for recommendation in listed]
        assert len(set(shown)) == len(shown)
        assert set(shown) <= allowed, query
        assert [r.item.item_id in match for r in listed] == [not r.backfilled for r in listed]
        if query.rules == NO_RULES:
            assert len(shown) == min(query.k, len(allowed)), query
            assert sum(not r.backfilled for r in listed) == min(query.k, len(match))
        else:
            self.check_rules(query, listed, match, allowed)

    async def check_page(self) -> None:
        """Requests several lists for one page: no item is in two."""
        queries = [self.random_query() for _ in range(self.rng.randint(2, 4))]
        before: set[str] = set()
        for query, answer in zip(queries, await self.backend.router.recommend_page(queries), strict=True):
            shown = {r.item.item_id for r in answer.recommendations}
            _, allowed = self.expected(query)
            assert shown <= allowed - before
            if query.rules == NO_RULES:
                assert len(shown) == min(query.k, len(allowed - before))
            before |= shown

    async def check_next_pages(self) -> None:
        """Requests the pages of one list while the shop changes: no item twice, and none skipped that may be shown."""
        query = replace(self.random_query(), k=self.rng.choice((1, 7, 30)), paged=True)
        answer = await self.backend.router.recommend(query)
        seen = [r.item.item_id for r in answer.recommendations]
        for _ in range(self.rng.randint(1, 5)):
            if (page := answer.next_page) is None:
                break
            if self.rng.random() < 0.5:
                await self.change()
            answer = await self.backend.router.recommend(replace(query, page=page))
            match, allowed = self.expected(query)
            end = answer.next_page.shown if answer.next_page is not None else len(page.item_ids)
            shown = [r.item.item_id for r in answer.recommendations]
            assert shown == [item_id for item_id in page.item_ids[page.shown : end] if item_id in allowed]
            assert [r.item.item_id in match for r in answer.recommendations] == [
                not r.backfilled for r in answer.recommendations
            ]
            seen += shown
        assert len(set(seen)) == len(seen)

    def check_rules(self, query: Query, listed: Sequence[Recommendation], match: Set[str], allowed: Set[str]) -> None:
        shown, rules = [r.item.item_id for r in listed], query.rules
        pins = {pin.item_id: pin.position for pin in sorted(rules.pins, key=lambda pin: -pin.position)}
        pinned = {item_id: place for item_id, place in pins.items() if item_id in match and place <= query.k}
        assert len(pinned.keys() & set(shown)) >= min(len(pinned), query.k)
        assert all(shown.index(i) < place + len(pinned) for i, place in pinned.items() if i in shown)
        # No item is left out if its caps had room.
        brands, paths = Counter(self.items[i].brand for i in shown), Counter(self.items[i].categories for i in shown)
        if len(shown) < query.k:
            for item in (self.items[item_id] for item_id in allowed - set(shown)):
                full = rules.max_per_brand is not None and item.brand and brands[item.brand] >= rules.max_per_brand
                if rules.max_per_category is not None and item.categories:
                    full = full or paths[item.categories] >= rules.max_per_category
                assert full, query
        chosen = [self.items[item_id] for item_id in shown if item_id not in pinned]
        for limit, names in (
            (rules.max_per_brand, [item.brand for item in chosen]),
            (rules.max_per_category, [item.categories for item in chosen]),
        ):
            assert limit is None or all(count <= limit for name, count in Counter(names).items() if name)
        for is_backfill in (False, True):
            buried = [
                any(passes(item, item_filter) for item_filter in rules.buried)
                for item in chosen
                if (item.item_id not in match) is is_backfill
            ]
            assert buried == sorted(buried)

    async def check_rank(self) -> None:
        user_id, candidates = self.rng.choice(USERS), self.any_ids(60)
        query = Query(
            user_id, max(1, len(candidates)), candidates=tuple(candidates), repeats=RepeatPolicy.ALLOW, reasons=False
        )
        listed = (await self.backend.router.recommend(query)).recommendations
        shown = [recommendation.item.item_id for recommendation in listed]
        assert len(set(shown)) == len(shown)
        assert set(shown) == {i for i in candidates if self.listable(i) and i not in self.hidden[user_id]}

    async def check_similar(self) -> None:
        item_id, k = self.rng.choice(list(self.items)), self.rng.choice((1, 10, 100))
        excluded, item_filter = frozenset(self.any_ids(5)), random_filter(self.rng, list(self.items.values()))
        answer = await self.backend.registry.current.similar_items(item_id, k, excluded, item_filter)
        shown = [neighbour.item.item_id for neighbour in answer.neighbours]
        match = {
            other
            for other, item in self.items.items()
            if self.listable(other) and other not in excluded and other != item_id and passes(item, item_filter)
        }
        assert len(set(shown)) == len(shown) == min(k, len(match))
        assert set(shown) <= match


def gate_violations() -> float:
    [metric] = GATE_VIOLATIONS.collect()
    return metric.samples[0].value


async def send_random_requests(
    backend: Backend, store: UserStore, requests: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, before = Shop(backend, store, seed), gate_violations()
    for number in range(requests):
        if number == requests // 2:  # from here on most selections are searched by the index
            monkeypatch.setattr(inventory, "FEW_ITEMS", 30)
        if shop.rng.random() < 0.3:
            await shop.change()
        checks = (*(shop.check_list,) * 6, shop.check_page, shop.check_next_pages, shop.check_rank, shop.check_similar)
        await shop.rng.choice(checks)()
    assert gate_violations() == before


async def test_two_thousand_random_requests_break_no_rule(
    backend: Backend, user_store: UserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_random_requests(backend, user_store, 2_000, 1, monkeypatch)


@pytest.mark.slow
async def test_a_hundred_thousand_random_requests_break_no_rule(
    backend: Backend, user_store: UserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_random_requests(backend, user_store, 100_000, 2, monkeypatch)
