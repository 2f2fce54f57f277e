"""A backend over a real private Redis and the stored bundle, which needs no training."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recsvc.domain.serving_config import ServingConfig
from recsvc.registry.backend import Backend
from recsvc.store import UserStore, open_store
from tests.recsvc.stored_bundle import STORED_BUNDLE


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[UserStore]:
    # A long timeout: a busy machine must not look like Redis being away.
    async with open_store(None, tmp_path, "test", timeout_seconds=10) as store:
        yield store


@pytest.fixture
async def backend(store: UserStore) -> AsyncIterator[Backend]:
    backend = Backend(ServingConfig(bundle=STORED_BUNDLE, cache_size=100), store)
    await backend.start()
    yield backend
    await backend.close()
