"""What tests of the use case start from: a real Redis, and a bundle that was made without training."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from recsvc.domain.serving_config import ServingConfig
from recsvc.pipeline.recommender import Recommender
from recsvc.reasons import recipes
from recsvc.registry.backend import Backend
from recsvc.store import UserStore, open_store
from tests.conftest import RedisServer
from tests.recsvc.access.credentials import Certified, KeysFile


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop() -> Iterator[BlockBuster]:
    """A call of the service that blocks the event loop fails the test."""
    recipes()  # a process reads them when it starts
    with blockbuster_ctx("recsvc") as detector:
        # What starts and stops the process may block: nothing is served yet, or any more.
        for function in detector.functions.values():
            function.can_block_in(
                "recsvc/store/embedded.py", {"embedded_redis", "_keep_running", "redis_server_binary"}
            )
            function.can_block_in("recsvc/server.py", "serve")
            # A command of its own, whose event loop serves nobody.
            function.can_block_in("recsvc/store/backup.py", {"write_backup", "restore_backup", "_records", "_checked"})
            function.can_block_in("structlog/_base.py", "_process_event")  # a logged traceback shows its source
            function.can_block_in("recsvc/registry/backend.py", "__init__")  # the server builds it in a thread
        yield detector


@pytest.fixture
async def user_store(shared_redis: RedisServer, tmp_path: Path) -> AsyncIterator[UserStore]:
    """A store of its own in the Redis of all: the namespace keeps tests apart."""
    # Generous, so that a busy machine is not taken for Redis being away.
    async with open_store(shared_redis.url, tmp_path, f"test-{secrets.token_hex(4)}", timeout_seconds=10) as store:
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


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    """A CA, and a server's files that it certifies."""
    return Certified(tmp_path / "tls")


@pytest.fixture
def keys(tmp_path: Path) -> KeysFile:
    """An empty file of API keys."""
    return KeysFile(tmp_path / "keys.toml")
