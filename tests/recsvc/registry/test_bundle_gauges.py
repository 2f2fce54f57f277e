"""The metrics of the served bundle follow it, and show nothing once it is closed."""

import time

from prometheus_client import REGISTRY

from recsvc.domain.query import Query
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.serving_config import ServingConfig
from recsvc.registry.backend import Backend
from recsvc.store import UserStore
from recsvc.store.stream import Place


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_items_and_users_are_those_of_now_and_none_after_the_end(small_bundle, user_store: UserStore) -> None:
    backend = Backend(ServingConfig(bundle=small_bundle, cache_size=100), user_store)
    await backend.start()
    assert [value("recsvc_index_items", kind=kind) for kind in ("all", "listable", "later")] == [400, 400, 0]
    assert value("recsvc_cached_users") == 0
    await backend.registry.current.recommend(Query("u", 3, reasons=False))
    assert value("recsvc_cached_users") == 1
    now = int(time.time() * 1_000_000)
    await backend.registry.loaded[backend.registry.bundle_id].apply([ItemChange("i00001", ItemField.STOCK, now, 0.0)])
    assert value("recsvc_index_items", kind="listable") == 399
    assert value("recsvc_bundle_trained_seconds", bundle_id=backend.registry.bundle_id) == 1_767_225_600
    await backend.close()
    assert value("recsvc_index_items", kind="all") == value("recsvc_cached_users") == 0


def test_the_time_of_a_place_is_that_of_its_entry() -> None:
    assert Place("1767225600123-4").seconds == 1_767_225_600.123
    assert Place().seconds == 0
