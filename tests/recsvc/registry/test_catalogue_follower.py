"""Item changes that failed come again, and stock does not wait for them; against a real Redis and a real bundle."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from recsvc.domain.query import ItemFilter
from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import Item
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.registry.backend import Backend
from recsvc.registry.catalogue_follower import CatalogueFollower
from recsvc.retrieval.inventory import Inventory
from recsvc.runtime.condition import ServiceCondition
from recsvc.store import UserStore, catalogue

NOW = 1_750_000_000_000_000
KNOWN_ITEM = "i00000"


async def test_an_item_that_could_not_be_added_is_added_later_and_stock_does_not_wait(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, with_items = backend.registry, Bundle.with_items
    failures: list[Sequence[ItemContent]] = []

    def failing_twice(self: Bundle, contents: Sequence[ItemContent]) -> Bundle:
        if len(failures) < 2:
            failures.append(contents)
            raise MemoryError
        return with_items(self, contents)

    monkeypatch.setattr(Bundle, "with_items", failing_twice)
    similar = (KNOWN_ITEM, 48, frozenset[str](), ItemFilter())
    listed = len((await registry.current.similar_items(*similar)).neighbours)
    [content] = await backend.encoder.encode_items([Item("new", "A copper kettle")])
    await backend.store.catalogue.set(
        [ItemChange("new", ItemField.CONTENT, NOW, content), ItemChange("i00001", ItemField.STOCK, NOW, 0.0)]
    )
    await until(lambda: bool(failures))
    assert len((await registry.current.similar_items(*similar)).neighbours) == listed - 1
    assert not registry.current.knows_item("new")
    await until(lambda: registry.current.knows_item("new"))
    assert len(failures) == 2


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition never held")


async def test_many_items_are_read_in_pages_and_applied_at_once(
    store: UserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_PAGE_SIZE", 10)
    changes = [ItemChange(f"i{number:05d}", ItemField.STOCK, NOW, 0.0) for number in range(2_000)]
    inventory = Inventory(Catalogue([Item(KNOWN_ITEM, "A kettle")]))
    applied: list[Sequence[ItemChange]] = []

    async def apply(news: Sequence[ItemChange]) -> None:
        applied.append(news)
        inventory.apply(news)

    await store.catalogue.set(changes)
    follower = CatalogueFollower(store.catalogue, apply, lambda: inventory, ServiceCondition())
    await follower.start()
    await follower.close()
    assert [len(news) for news in applied] == [len(changes)]
    assert set(inventory.changes.values()) == set(changes)
