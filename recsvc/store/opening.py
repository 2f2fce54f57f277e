"""Opens the store: on the operator's Redis, or on a private one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog

from recsvc.domain.history_rooms import ROOM_EVENTS
from recsvc.errors import StoreUnavailable
from recsvc.store.connection import connected
from recsvc.store.durability import REDIS
from recsvc.store.embedded import embedded_redis
from recsvc.store.users import DAY_SECONDS, UserStore


@asynccontextmanager
async def open_store(
    redis_url: str | None,
    data_dir: Path,
    namespace: str,
    *,
    history_limit: int = ROOM_EVENTS,
    ttl_seconds: int = 400 * DAY_SECONDS,
    timeout_seconds: float = 0.1,
    event_log_limit: int = 1_000_000,
    durability: str = REDIS,
) -> AsyncIterator[UserStore]:
    """Opens the store. On exit it closes the connections, and stops a private server.

    A Redis that does not answer is no error: the service starts degraded, and uses Redis once it answers.

    Args:
        redis_url: See `connection.connected`; None runs a private redis-server.
        data_dir: Folder for the data of a private server.
        namespace: First part of every key.
        history_limit: See `UserStore`.
        ttl_seconds: See `UserStore`.
        timeout_seconds: How long Redis may take to answer.
        event_log_limit: See `UserStore`.
        durability: See `UserStore`.

    Raises:
        SettingsError: The URL or the folder cannot be used, Redis refuses the password or the database of the URL, or
            it is not configured for the durability.
        StoreUnavailable: A private server does not start.
    """
    async with AsyncExitStack() as stack:
        url = redis_url
        if url is None:
            url = await stack.enter_async_context(embedded_redis(data_dir))
        client = await stack.enter_async_context(connected(url, timeout_seconds))
        store = UserStore(
            client,
            namespace,
            history_limit,
            ttl_seconds,
            event_log_limit,
            timeout_seconds=timeout_seconds,
            durability=durability,
        )
        try:
            await store.check_access()
        except StoreUnavailable as error:
            structlog.get_logger(__name__).warning("Redis does not answer: starting degraded", problem=str(error))
        try:
            yield store
        finally:
            await store.close()
