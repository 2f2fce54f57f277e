from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis

from recsvc.store import UserStore, open_store
from recsvc.store.connection import RedisClient, connected
from tests.conftest import RedisServer


@pytest.fixture
async def store(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[UserStore]:
    # No test here measures speed: the timeout is for a busy machine.
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=10) as store:
        yield store


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[RedisClient]:
    """A client for stores with other limits than those of `store`."""
    async with connected(redis_server.url, 10) as client:
        yield client


@pytest.fixture
def raw(redis_server: RedisServer) -> redis.Redis:
    """The content of Redis, through an ordinary client."""
    return redis.Redis(unix_socket_path=str(redis_server.socket))
