"""The cache of user states over a real store: what it keeps, and what an erasure drops."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.arrays import MICROSECONDS_AN_HOUR, Rows
from recsvc.domain.shop import Event, EventType, Profile
from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from recsvc.store import UserStore, hash_of
from recsvc.users.user_state_cache import UserStateCache

BOUGHT = Event("e", "ann", "i00003", EventType.PURCHASE, 1_740_000_000_000_000)


@pytest.fixture
def bundle(small_bundle: Path) -> Bundle:
    return bundle_files.load(small_bundle)


@pytest.fixture
def cache(bundle: Bundle, user_store: UserStore) -> Iterator[UserStateCache]:
    with ThreadPoolExecutor(1) as thread:
        yield UserStateCache(bundle, user_store, thread, 10)


async def test_unchanged_record_returns_the_kept_state(cache: UserStateCache, user_store: UserStore) -> None:
    await user_store.write_events([BOUGHT])
    state, fresh = await cache.get("ann")
    assert fresh
    assert (await cache.get("ann"))[0] is state


async def test_later_cache_of_the_bundle_shares_the_kept_states(
    cache: UserStateCache, user_store: UserStore, bundle: Bundle
) -> None:
    await user_store.write_events([BOUGHT])
    state, _ = await cache.get("ann")
    later = cache.with_bundle(bundle)
    assert (await later.get("ann"))[0] is state


async def test_user_erased_in_a_later_cache_is_not_kept_by_a_request_of_the_earlier(
    cache: UserStateCache, user_store: UserStore, bundle: Bundle
) -> None:
    await user_store.write_events([BOUGHT])
    later = cache.with_bundle(bundle)
    request = asyncio.create_task(cache.get("ann"))
    await asyncio.sleep(0)  # the request waits for Redis now
    later.forget({hash_of("ann")})
    state, _ = await request
    assert (await cache.get("ann"))[0] is not state


def rows(*values: int) -> Rows:
    return np.array(values, np.int32)


async def test_lists_of_one_visit_share_its_state(cache: UserStateCache, user_store: UserStore) -> None:
    await user_store.write_events([BOUGHT])
    state, _ = await cache.get("ann")
    visit = cache.in_visit("ann", state, rows(5), rows(6), BOUGHT.timestamp)
    assert visit.base is state
    assert visit.visit == {5: EventType.VIEW, 6: EventType.ADD_TO_CART}
    assert cache.in_visit("ann", state, rows(5), rows(6), BOUGHT.timestamp + 1) is visit


@pytest.mark.parametrize(
    ("viewed", "cart", "later"), [((5, 7), (6,), 0), ((5,), (), 0), ((), (5, 6), 0), ((5,), (6,), MICROSECONDS_AN_HOUR)]
)
async def test_visit_of_other_items_or_of_another_hour_has_a_state_of_its_own(
    cache: UserStateCache, user_store: UserStore, viewed: tuple[int, ...], cart: tuple[int, ...], later: int
) -> None:
    await user_store.write_events([BOUGHT])
    state, _ = await cache.get("ann")
    visit = cache.in_visit("ann", state, rows(5), rows(6), BOUGHT.timestamp)
    assert cache.in_visit("ann", state, rows(*viewed), rows(*cart), BOUGHT.timestamp + later) is not visit


async def test_visit_follows_the_record(cache: UserStateCache, user_store: UserStore) -> None:
    await user_store.write_events([BOUGHT])
    before, _ = await cache.get("ann")
    cache.in_visit("ann", before, rows(5), rows(), BOUGHT.timestamp)
    await user_store.write_events([replace(BOUGHT, event_id="f", item_id="i00004")])
    after, _ = await cache.get("ann")
    assert len(cache.in_visit("ann", after, rows(5), rows(), BOUGHT.timestamp).history) == 3


@pytest.mark.parametrize("erased_in", ["an earlier request", "this request"])
async def test_visit_of_an_erased_user_is_not_kept(
    cache: UserStateCache, user_store: UserStore, erased_in: str
) -> None:
    await user_store.write_events([BOUGHT])
    state, _ = await cache.get("ann")
    if erased_in == "this request":
        cache.forget({hash_of("ann")})
    visit = weakref.ref(cache.in_visit("ann", state, rows(5), rows(), BOUGHT.timestamp))
    if erased_in == "an earlier request":
        assert visit() is not None
        cache.forget({hash_of("ann")})
    gc.collect()
    assert visit() is None


async def test_purchase_keeps_what_was_read_of_an_unchanged_profile(
    cache: UserStateCache, user_store: UserStore, bundle: Bundle
) -> None:
    loves, embedding = Profile("Loves camping."), np.ones(bundle.features.mean.shape[0], np.float32)
    await user_store.set_profile("ann", loves, embedding)
    before, _ = await cache.get("ann")
    await user_store.write_events([BOUGHT])
    bought, _ = await cache.get("ann")
    await user_store.set_profile("ann", loves, 2 * embedding)
    encoded_again, _ = await cache.get("ann")
    assert bought is not before
    assert before.profile is not None
    assert bought.profile is before.profile
    assert encoded_again.profile is not None
    assert encoded_again.profile is not before.profile
    assert encoded_again.profile.embedding.tolist() == (2 * embedding).tolist()
