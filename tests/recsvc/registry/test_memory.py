"""What the registry drops is freed at once: bundles, and the items of before a change. No collection may be needed."""

import asyncio
import gc
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsvc.domain.audience_query import AudienceQuery
from recsvc.domain.query import Query, Surface
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import NO_TASTE, Event, EventType, Item, Taste
from recsvc.pipeline.recommender import Recommender
from recsvc.registry.backend import Backend
from recsvc.registry.loaded_bundle import LoadedBundle
from recsvc.store import UserStore
from tests.recsvc.stored_bundle import STORED_BUNDLE, save_variant

NOW = 1_750_000_000_000_000


@pytest.fixture(autouse=True)
def no_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def parts(recommender: Recommender) -> dict[str, "weakref.ref[object]"]:
    snapshot, bundle = recommender.snapshot, recommender.bundle
    objects = {
        "recommender": recommender,
        "snapshot": snapshot,
        "bundle": bundle,
        "catalogue": bundle.catalogue,
        "towers": bundle.text_tower,
        "words": snapshot.word_index,
        "inventory": snapshot.inventory,
    }
    return {name: weakref.ref(part) for name, part in objects.items()}


def alive(references: dict[str, "weakref.ref[object]"]) -> set[str]:
    return {name for name, reference in references.items() if reference() is not None}


async def left(replaced: list[dict[str, "weakref.ref[object]"]], expected: set[str]) -> list[set[str]]:
    """The parts that are still alive. A thread that has just answered may hold its last work for another moment."""
    for _ in range(200):
        if all(alive(references) == expected for references in replaced):
            break
        await asyncio.sleep(0.01)
    return [alive(references) for references in replaced]


async def use(recommender: Recommender, user_id: str) -> None:
    """Asks for lists of every kind of state: vectors, reasons, searches, popular items, pages."""
    await recommender.recommend(Query(user_id, 5, paged=True, grouped=True))
    await recommender.recommend(Query(user_id, 5, viewed=("i00002",), cart=("i00003",), surface=Surface.CART))
    for surface in Surface:
        await recommender.recommend(Query(user_id, 5, text="lamp", surface=surface))
    item_id = recommender.catalogue.items[0].item_id
    await recommender.diagnose(Query(user_id, 5), item_id)
    await recommender.audience(AudienceQuery(item_id, 5), deadline=None)


async def add_users(store: UserStore) -> None:
    await store.write_events(
        [
            Event(f"{user}-{n}", user, f"i0000{n}", EventType.PURCHASE, NOW + n)
            for user in ("ann", "bob")
            for n in (1, 2)
        ]
    )
    await store.update_taste("bob", Taste(less_items=frozenset({"i00005"})), NO_TASTE, 10_000)


async def test_a_dropped_bundle_is_freed_at_once(tmp_path: Path, store: UserStore) -> None:
    folder = tmp_path / "bundles"
    await asyncio.to_thread(shutil.copytree, STORED_BUNDLE, folder / "first")
    backend = Backend(ServingConfig(bundle=folder / "first", cache_size=100), store, gc.freeze)
    await backend.start()
    registry, first = backend.registry, backend.registry.bundle_id
    await add_users(store)
    dropped = {}
    for length in (100, 101, 102):
        bundle_id = await asyncio.to_thread(save_variant, folder / f"variant-{length}", history_length=length)
        await registry.activate(bundle_id)
        await use(registry.current, "ann")
        dropped[bundle_id] = parts(registry.current)
    await registry.activate(first)
    assert registry.bundle_ids == {first, bundle_id}  # the previous one stays
    assert await left(list(dropped.values())[:2], set()) == [set(), set()]
    assert alive(dropped[bundle_id])
    await backend.close()


async def test_the_items_of_before_a_change_are_freed_at_once(backend: Backend, store: UserStore) -> None:
    loaded: LoadedBundle = backend.registry.loaded[backend.registry.bundle_id]
    await add_users(store)
    replaced = []
    for n in range(4):
        await use(loaded.recommender, "ann")
        await use(loaded.recommender, "bob")
        await use(loaded.recommender, f"seen once, at change {n}")  # the users that are kept keep no items
        replaced.append(parts(loaded.recommender))
        [content] = await backend.encoder.encode_items([Item("new", f"Lamp {n}")])
        await loaded.apply([ItemChange("new", ItemField.CONTENT, NOW + n, content)])
    assert await left(replaced, {"towers"}) == [{"towers"}] * 4  # the model stays
