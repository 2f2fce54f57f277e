from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis

from recsvc.store import UserStore, open_store
from tests.conftest import RedisServer


@pytest.fixture
async def store(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[UserStore]:
    # No test here is about speed: a busy machine may take its time.
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
        yield store


@pytest.fixture
def raw(redis_server: RedisServer) -> redis.Redis:
    """What is really in Redis, by the ordinary client."""
    return redis.Redis(unix_socket_path=str(redis_server.socket))
