"""What tests of the use case start from: a real Redis, and a bundle that was made without training."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recsvc.pipeline.recommender import Recommender
from recsvc.registry.model_registry import ModelRegistry
from recsvc.store import UserStore, open_store
from tests.conftest import RedisServer


@pytest.fixture
async def user_store(shared_redis: RedisServer, tmp_path: Path) -> AsyncIterator[UserStore]:
    """A store of its own in the Redis of all: the namespace keeps tests apart."""
    # Generous, so that a busy machine is not taken for Redis being away.
    async with open_store(shared_redis.url, tmp_path, f"test-{secrets.token_hex(4)}", timeout_seconds=10) as store:
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
