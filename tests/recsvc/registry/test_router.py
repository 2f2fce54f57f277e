"""The router: placements pick the query's arm and bundle, and their lists are stored."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recsvc.domain.query import SEARCH_TEXT_LENGTH, Query, Surface, search_text
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType
from recsvc.errors import BundleNotFound, InvalidRequest, ListNotFound
from recsvc.registry.backend import Backend
from recsvc.store import UserStore
from tests.recsvc.stored_bundle import STORED_BUNDLE

NOW = 1_750_000_000_000_000


@pytest.fixture
async def backend(store: UserStore, tmp_path: Path) -> AsyncIterator[Backend]:
    file = tmp_path / "placements.toml"
    file.write_text('[placements.home]\nmax_per_brand = 1\n[placements.basket]\nsurface = "popular"\n')
    backend = Backend(ServingConfig(bundle=STORED_BUNDLE, placements=file, cache_size=100), store)
    await backend.start()
    yield backend
    await backend.close()


async def buy(backend: Backend, *item_ids: str) -> None:
    events = [Event(item_id, "ann", item_id, EventType.PURCHASE, NOW) for item_id in item_ids]
    await backend.store.write_events(events)


async def test_a_list_of_a_placement_is_stored_and_can_be_explained(backend: Backend) -> None:
    await buy(backend, "i00001", "i00008")
    answer = await backend.router.recommend(Query("ann", 5, placement="home"))
    await backend.store.lists.close()
    served, blocks, unchanged = await backend.router.explain_list("ann", answer.recommendation_id)
    assert [item_id for item_id, _ in served.items] == [listed.item.item_id for listed in answer.recommendations]
    assert (served.placement, served.arm, served.shown, served.version) == ("home", "control", 0, answer.version)
    assert unchanged
    for (_, score), parts in zip(served.items, blocks, strict=True):
        assert sum(part for _, part in parts) == pytest.approx(score, abs=1e-4)
    await buy(backend, "i00015")
    assert not (await backend.router.explain_list("ann", answer.recommendation_id))[2]


async def test_a_list_that_no_user_vector_ranked_has_no_block_scores(backend: Backend) -> None:
    answer = await backend.router.recommend(Query("ann", 5, placement="basket"))
    await backend.store.lists.close()
    served, blocks, unchanged = await backend.router.explain_list("ann", answer.recommendation_id)
    assert served.surface == "popular"
    assert (blocks, unchanged) == ([()] * 5, False)


async def test_a_list_without_a_placement_is_not_stored(backend: Backend) -> None:
    answer = await backend.router.recommend(Query("ann", 5))
    await backend.store.lists.close()
    with pytest.raises(ListNotFound):
        await backend.router.explain_list("ann", answer.recommendation_id)


async def test_an_unknown_placement_is_refused(backend: Backend) -> None:
    with pytest.raises(InvalidRequest, match="placement"):
        await backend.router.recommend(Query("ann", 5, placement="nowhere"))
    with pytest.raises(InvalidRequest, match="placement"):
        await backend.router.diagnose(Query("ann", 5, placement="nowhere"), "i00001")


async def test_a_bundle_that_is_not_loaded_is_answered_by_the_active_one(backend: Backend) -> None:
    answer = await backend.router.recommend(Query("ann", 5, bundle_id="0123456789abcdef"))
    assert answer.bundle_id == backend.registry.bundle_id


async def test_a_placement_with_a_missing_bundle_keeps_the_backend_from_starting(
    store: UserStore, tmp_path: Path
) -> None:
    file = tmp_path / "placements.toml"
    file.write_text('[placements.home]\nbundle_id = "0123456789abcdef"\n')
    backend = Backend(ServingConfig(bundle=STORED_BUNDLE, placements=file), store)
    with pytest.raises(BundleNotFound, match="0123456789abcdef"):
        await backend.start()
    await backend.close()


async def test_a_backend_without_placements_serves_concurrent_queries(backend: Backend) -> None:
    answers = await asyncio.gather(*(backend.router.recommend(Query(user, 5)) for user in ("ann", "bob", "eve")))
    assert all(len(answer.recommendations) == 5 for answer in answers)


async def test_only_a_search_is_stored_with_its_text_and_only_if_searches_are_logged(
    store: UserStore, tmp_path: Path
) -> None:
    file = tmp_path / "placements.toml"
    file.write_text('[placements.home]\n[placements.results]\nsurface = "search"\n')
    backend = Backend(ServingConfig(bundle=STORED_BUNDLE, placements=file, log_searches=True), store)
    await backend.start()
    await backend.router.recommend(Query("ann", 3, text="tea", placement="home"))
    await backend.router.recommend(Query("ann", 3, surface=Surface.FOR_YOU, text="tea"))
    first = await backend.router.recommend(Query("ann", 3, text="  Tea\tPOT ", placement="results", paged=True))
    later = Query("ann", 3, surface=Surface.SEARCH, text="Tea POT", page=first.next_page)
    await backend.router.recommend(later)
    await backend.store.lists.close()
    stored = [(served.placement, served.query, served.shown) for served in await backend.store.lists.of_user("ann")]
    assert stored == [("", "tea pot", 3), ("results", "tea pot", 0), ("home", "", 0)]
    await backend.close()


@pytest.mark.parametrize(
    ("text", "logged"),
    [("  ＴＥＡ  Pot ", "tea pot"), ("x" * 300, "x" * 256), ("", "")],
)
def test_a_logged_text_is_plain_and_bounded(text: str, logged: str) -> None:
    assert search_text(text) == logged
    # One character of this kind is eighteen in the form NFKC.
    assert 250 < len(search_text(f"{text}{'ﷺ' * 256}")) <= SEARCH_TEXT_LENGTH
