"""Reasons that are kept for a page name items as they are now."""

import re
from dataclasses import replace

import pytest

from recsvc.domain.query import Query, RecommendationList, RepeatPolicy
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.shop import NO_TASTE, Event, EventType, Item, Taste
from recsvc.registry.backend import Backend
from recsvc.registry.loaded_bundle import LoadedBundle
from recsvc.store import UserStore

NOW = 1_750_000_000_000_000
QUERY = Query("ann", 10, repeats=RepeatPolicy.EXCLUDE)


@pytest.fixture
async def loaded(backend: Backend, user_store: UserStore) -> LoadedBundle:
    """A bundle in memory, and a shopper with a page whose reasons name what she bought."""
    loaded = backend.registry.loaded[backend.registry.bundle_id]
    items = loaded.recommender.catalogue.items
    bought = [items[row].item_id for row in (0, 16, 32)]
    await user_store.write_events(
        [Event(f"e{n}", "ann", item_id, EventType.PURCHASE, NOW + n) for n, item_id in enumerate(bought)]
    )
    return loaded


def texts(page: RecommendationList) -> list[str]:
    return [listed.reason.text for listed in page.recommendations if listed.reason is not None]


def named(page: RecommendationList) -> dict[Item, set[str]]:
    """The items that the reasons name as a cause or a link, each with the names that the reasons give it."""
    names: dict[Item, set[str]] = {}
    for reason in filter(None, (listed.reason for listed in page.recommendations)):
        anchor, quoted = reason.evidence[0].anchor, re.search("“(.+?)”", reason.text)
        if anchor is not None and quoted is not None:
            names.setdefault(anchor, set()).add(quoted[1])
    return names


async def test_a_renamed_item_has_its_new_name_in_the_reasons_of_a_page_that_is_kept(
    backend: Backend, loaded: LoadedBundle
) -> None:
    before = await loaded.recommender.recommend(QUERY)
    assert texts(await loaded.recommender.recommend(QUERY)) == texts(before)
    anchor, names = min(named(before).items(), key=lambda named: named[0].item_id)
    renamed = replace(anchor, title="Zebra Crossing", brand="Zed", categories=("Elsewhere",), price=None)
    [content] = await backend.encoder.encode_items([renamed])
    await loaded.apply([ItemChange(anchor.item_id, ItemField.CONTENT, NOW, content)])
    after = await loaded.recommender.recommend(QUERY)
    [now] = [item for item in named(after) if item.item_id == anchor.item_id]
    assert (now.title, now.brand) == ("Zebra Crossing", "Zed")
    assert any("“Zebra Crossing”" in text for text in texts(after))
    assert not [text for text in texts(after) if any(name in text for name in names)]


async def test_a_deleted_item_is_not_named_in_the_reasons_of_a_page_that_is_kept(loaded: LoadedBundle) -> None:
    before = await loaded.recommender.recommend(QUERY)
    anchor, names = min(named(before).items(), key=lambda named: named[0].item_id)
    await loaded.apply([ItemChange(anchor.item_id, ItemField.DELETED, NOW, 1.0)])
    deleted = await loaded.recommender.recommend(QUERY)
    assert [listed.item for listed in deleted.recommendations] == [listed.item for listed in before.recommendations]
    assert anchor not in named(deleted)
    assert not [text for text in texts(deleted) if any(name in text for name in names)]
    await loaded.apply([ItemChange(anchor.item_id, ItemField.DELETED, NOW + 1, 0.0)])
    assert texts(await loaded.recommender.recommend(QUERY)) == texts(before)


async def test_a_brand_that_is_less_liked_follows_the_items_that_have_it_now(
    backend: Backend, loaded: LoadedBundle, user_store: UserStore
) -> None:
    [anchor, *_] = sorted(named(await loaded.recommender.recommend(QUERY)), key=lambda item: item.item_id)
    await user_store.update_taste("ann", Taste(less_brands=frozenset({"Zed"})), NO_TASTE, 10_000)
    assert anchor in named(await loaded.recommender.recommend(QUERY))
    [content] = await backend.encoder.encode_items([replace(anchor, brand="Zed", price=None)])
    await loaded.apply([ItemChange(anchor.item_id, ItemField.CONTENT, NOW, content)])
    after = await loaded.recommender.recommend(QUERY)
    assert anchor.item_id not in {item.item_id for item in named(after)}


async def test_a_late_reason_is_not_sent_once_an_item_that_it_names_is_renamed_or_deleted(
    backend: Backend, loaded: LoadedBundle
) -> None:
    first, second, third = loaded.recommender.catalogue.items[:3]
    assert loaded.recommender.has_as_named((first, second, third))
    await loaded.apply([ItemChange(first.item_id, ItemField.STOCK, NOW, 0.0)])
    assert loaded.recommender.has_as_named((first,))
    await loaded.apply([ItemChange(first.item_id, ItemField.DELETED, NOW, 1.0)])
    assert not loaded.recommender.has_as_named((first,))
    [content] = await backend.encoder.encode_items([replace(second, title="Zebra Crossing")])
    await loaded.apply([ItemChange(second.item_id, ItemField.CONTENT, NOW, content)])
    assert not loaded.recommender.has_as_named((third, second))
    assert loaded.recommender.has_as_named((third, content.item))
