"""The cache of user states over a real store: what it keeps, and what an erasure drops."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

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
