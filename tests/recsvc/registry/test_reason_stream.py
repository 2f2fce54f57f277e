"""A stream of better reasons ends at once without a language model, and when its user is erased."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from recsvc.domain.query import Query
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType
from recsvc.registry.backend import Backend
from recsvc.store import UserStore, hash_of
from tests.recsvc.stored_bundle import STORED_BUNDLE

NOW = 1_750_000_000_000_000
QUERY = Query("ann", 5)


@pytest.fixture
async def waiting_backend(store: UserStore) -> AsyncIterator[Backend]:
    """A backend whose language model never writes anything."""
    config = ServingConfig(bundle=STORED_BUNDLE, reason_generator="openai", reason_model="none")
    backend = Backend(config, store)
    await backend.start()
    yield backend
    await backend.close()


async def updates(backend: Backend) -> list[str]:
    await backend.store.write_events([Event("e1", "ann", "i00001", EventType.PURCHASE, NOW)])
    served = await backend.router.recommend(QUERY)
    assert any(listed.reason for listed in served.recommendations)
    return [item_id async for item_id, _ in backend.reason_stream.updates(QUERY, served)]


async def test_a_stream_without_a_language_model_ends_at_once(backend: Backend) -> None:
    async with asyncio.timeout(5):
        assert await updates(backend) == []


async def test_a_stream_ends_when_its_user_is_erased_and_not_before(waiting_backend: Backend) -> None:
    stream = asyncio.create_task(updates(waiting_backend))
    await asyncio.sleep(1)
    await waiting_backend.registry.forget({hash_of("bob")})
    await asyncio.sleep(1.5)
    assert not stream.done()
    await waiting_backend.registry.forget({hash_of("ann")})
    async with asyncio.timeout(5):
        assert await stream == []


async def test_a_list_without_reasons_has_no_stream(waiting_backend: Backend) -> None:
    query = replace(QUERY, reasons=False)
    served = await waiting_backend.router.recommend(query)
    async with asyncio.timeout(5):
        assert [update async for update in waiting_backend.reason_stream.updates(query, served)] == []
