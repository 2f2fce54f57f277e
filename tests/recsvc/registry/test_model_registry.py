"""The registry: bundles are loaded and activated by id, and erased users are dropped; with a real Redis."""

import asyncio
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from recsvc.domain.query import ItemFilter, Query
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType
from recsvc.errors import BundleNotFound, BundleUnusable, NoPreviousBundle
from recsvc.model import bundle_files
from recsvc.registry.backend import Backend
from recsvc.store import UserStore, hash_of, keys
from tests.recsvc.stored_bundle import STORED_BUNDLE, save_variant

NOW = 1_750_000_000_000_000


@pytest.fixture
def bundles(tmp_path: Path) -> tuple[Path, str]:
    """A folder with the stored bundle and a second one; and the second one's id."""
    folder = tmp_path / "bundles"
    shutil.copytree(STORED_BUNDLE, folder / "first")
    return folder, save_variant(folder / "second", history_length=100)


async def test_a_bundle_is_activated_and_rolled_back(store: UserStore, bundles: tuple[Path, str]) -> None:
    folder, second = bundles
    loaded: list[str] = []
    backend = Backend(ServingConfig(bundle=folder / "first"), store, lambda: loaded.append("loaded"))
    registry, first = backend.registry, backend.registry.bundle_id
    await backend.start()
    try:
        assert loaded == ["loaded"]
        assert await registry.activate(second) == first
        assert loaded == ["loaded"] * 2
        assert registry.bundle_id == registry.current.bundle_id == second
        assert registry.bundle_ids == {first, second}
        assert REGISTRY.get_sample_value("recsvc_bundle_info", {"bundle_id": second}) == 1
        infos, [process], wanted = await registry.list_bundles()
        assert {info.bundle_id for info in infos} == {first, second}
        assert (process.serving, wanted.active, wanted.previous) == (second, second, first)
        assert await registry.roll_back() == first
        assert registry.current.bundle_id == first
    finally:
        await backend.close()
    assert await store.models.processes() == []


async def test_a_bundle_that_is_not_there_cannot_be_loaded(backend: Backend) -> None:
    for call in (backend.registry.load, backend.registry.activate):
        with pytest.raises(BundleNotFound, match="0123456789abcdef"):
            await call("0123456789abcdef")
    assert (await backend.registry.list_bundles())[2].active == ""


async def test_a_bundle_of_another_text_encoder_cannot_be_loaded(store: UserStore, bundles: tuple[Path, str]) -> None:
    folder, _ = bundles
    foreign_id = await asyncio.to_thread(save_variant, folder / "foreign", text_encoder_fingerprint="0" * 64)
    backend = Backend(ServingConfig(bundle=folder / "first"), store)
    with pytest.raises(BundleUnusable, match="another text encoder"):
        await backend.registry.load(foreign_id)
    await backend.close()


async def test_a_price_set_before_the_table_was_written_ends_with_the_bundle_of_that_table(
    store: UserStore, bundles: tuple[Path, str]
) -> None:
    folder, second = bundles
    path = folder / "second" / bundle_files.MANIFEST
    written = datetime.fromtimestamp(NOW / 1_000_000, UTC).isoformat()
    manifest = json.loads(path.read_text(encoding="utf-8")) | {"data": {"items_written": written}}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    backend = Backend(ServingConfig(bundle=folder / "first"), store)
    await backend.start()
    try:
        items = [item.item_id for item in backend.registry.current.catalogue.items if item.price is not None][:2]
        changes = [
            ItemChange(item_id, ItemField.PRICE, NOW + after, 1e6)
            for item_id, after in zip(items, (-1, 1), strict=True)
        ]
        await store.catalogue.set(changes)

        def dear() -> set[str]:
            inventory = backend.registry.current.snapshot.inventory
            selection = inventory.select(ItemFilter(min_price=1e6))
            assert selection is not None
            rows = np.flatnonzero(selection.allowed).tolist()
            return {backend.registry.current.catalogue.items[row].item_id for row in rows}

        for _ in range(200):
            if dear() == set(items):
                break
            await asyncio.sleep(0.02)
        assert dear() == set(items)
        await backend.registry.activate(second)
        assert dear() == {items[1]}
        await backend.registry.roll_back()
        assert dear() == set(items)
    finally:
        await backend.close()


async def test_a_bundle_of_another_format_is_refused_with_both_formats(
    store: UserStore, bundles: tuple[Path, str]
) -> None:
    folder, second = bundles
    path = folder / "second" / bundle_files.MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace('"format_version": 8', '"format_version": 99'), "utf-8")
    backend = Backend(ServingConfig(bundle=folder / "first"), store)
    with pytest.raises(BundleUnusable, match="has bundle format 99; this recsvc reads format 8") as refusal:
        await backend.registry.activate(second)
    assert not isinstance(refusal.value, BundleNotFound)
    assert str(folder) not in str(refusal.value)
    await backend.close()


async def test_a_wanted_bundle_that_cannot_be_used_is_an_error_in_the_log(backend: Backend) -> None:
    with capture_logs() as log:
        await backend.store.models.activate("0123456789abcdef", backend.registry.bundle_id)
        for _ in range(100):
            if any(line["event"] == "bundles" for line in log):
                break
            await asyncio.sleep(0.05)
    [line] = [line for line in log if line["event"] == "bundles"]
    assert (line["log_level"], line["wanted"]) == ("error", "0123456789abcdef")
    assert "is not in the service's folder" in line["problem"]


async def test_what_the_start_cannot_use_is_in_the_log(store: UserStore, tmp_path: Path) -> None:
    placements = tmp_path / "placements.toml"
    placements.write_text(
        '[placements.home]\nsurface = "for_you"\n'
        'pins = [{ item_id = "no such item", position = 1 }, { item_id = "i00001", position = 2 }]\n'
    )
    await store.models._client.execute_command("HSET", keys.models("test", "bundles", 3), "active", "x")  # noqa: SLF001
    backend = Backend(ServingConfig(bundle=STORED_BUNDLE, placements=placements), store)
    with capture_logs() as log:
        await backend.start()
    await backend.close()
    lines = {line["event"]: line for line in log if line["log_level"] == "warning"}
    assert lines["pins_of_unknown_items"]["item_ids"] == ["no such item"]
    assert lines["other_schema_versions"]["versions"] == [3]


async def test_there_is_no_roll_back_before_an_activation(backend: Backend) -> None:
    with pytest.raises(NoPreviousBundle):
        await backend.registry.roll_back()


async def test_a_bundle_that_does_not_know_of_erasures_is_not_without_the_user(backend: Backend) -> None:
    assert await backend.registry.first_bundle_without(NOW) == ("", False)
    assert await backend.registry.first_bundle_without(0) == (backend.registry.bundle_id, True)


async def test_an_erased_user_is_dropped_from_memory(backend: Backend) -> None:
    query = Query("ann", 5)
    await backend.store.write_events([Event("e1", "ann", "i00001", EventType.PURCHASE, NOW)])
    assert (await backend.router.recommend(query)).personalised
    await backend.store.delete_user("ann")
    await backend.registry.forget({hash_of("ann")})
    assert not (await backend.router.recommend(query)).personalised
