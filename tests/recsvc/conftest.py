"""What tests of the use case start from: a real private Redis and a bundle that the real recipe trained."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recsvc.pipeline.recommender import Recommender
from recsvc.registry.model_registry import ModelRegistry
from recsvc.store import UserStore, open_store


@pytest.fixture
async def user_store(tmp_path: Path) -> AsyncIterator[UserStore]:
    # Generous, so that a busy machine is not taken for Redis being away.
    async with open_store(None, tmp_path, "test", timeout_seconds=10) as store:
        yield store


@pytest.fixture
async def models(small_bundle: Path, user_store: UserStore) -> AsyncIterator[ModelRegistry]:
    models = ModelRegistry.open(small_bundle, user_store, "embedded", 1, 100)
    await models.start()
    yield models
    await models.close()


@pytest.fixture
def opened(models: ModelRegistry, user_store: UserStore) -> tuple[Recommender, UserStore]:
    return models.current, user_store
