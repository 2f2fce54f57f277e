"""What failed comes again, and does not hold up the stock; against a real Redis and a real bundle."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from recsvc.domain.query import ItemFilter
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.shop import Item
from recsvc.model.bundle import Bundle
from recsvc.registry.model_registry import ModelRegistry
from recsvc.store import UserStore, open_store

NOW = 1_750_000_000_000_000


@pytest.fixture
async def opened(small_bundle: Path, tmp_path: Path) -> AsyncIterator[tuple[ModelRegistry, UserStore]]:
    async with open_store(None, tmp_path, "test", timeout_seconds=10) as store:
        models = ModelRegistry.open(small_bundle, store, "embedded", 1, 100)
        await models.start()
        yield models, store
        await models.close()


async def test_an_item_that_could_not_be_added_is_added_later(
    opened: tuple[ModelRegistry, UserStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    models, store = opened
    with_items, failures = Bundle.with_items, []

    def failing(self: Bundle, contents: list) -> Bundle:
        if len(failures) < 2:
            failures.append(contents)
            raise MemoryError
        return with_items(self, contents)

    monkeypatch.setattr(Bundle, "with_items", failing)
    [content] = await models.encode_items([Item("new", "A copper kettle")])
    known = models.current._bundle.catalogue.items[0].item_id
    await store.catalogue.set(
        [ItemChange("new", ItemField.CONTENT, NOW, content), ItemChange(known, ItemField.STOCK, NOW, 0.0)]
    )
    await until(lambda: bool(failures))
    selection = models.current._live.catalogue.select(ItemFilter())
    assert selection is not None  # the stock counts though the item failed
    assert not models.current.knows_item("new")
    await until(lambda: models.current.knows_item("new"))
    assert len(failures) == 2


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never did")
