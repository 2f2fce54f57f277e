"""What tests of the use case start from: a real private Redis and a bundle that the real recipe trained."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recsvc.domain.serving_config import ServingConfig
from recsvc.pipeline.recommender import Recommender
from recsvc.registry.backend import Backend
from recsvc.store import UserStore, open_store


@pytest.fixture
async def user_store(tmp_path: Path) -> AsyncIterator[UserStore]:
    # Generous, so that a busy machine is not taken for Redis being away.
    async with open_store(None, tmp_path, "test", timeout_seconds=10) as store:
        yield store


@pytest.fixture
async def backend(small_bundle: Path, user_store: UserStore) -> AsyncIterator[Backend]:
    backend = Backend(ServingConfig(bundle=small_bundle, cache_size=100), user_store)
    await backend.start()
    yield backend
    await backend.close()


@pytest.fixture
def opened(backend: Backend, user_store: UserStore) -> tuple[Recommender, UserStore]:
    return backend.registry.current, user_store
