"""From settings to a store that is ready: the operator's Redis, or a private one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog

from recsvc.errors import StoreUnavailable
from recsvc.store.connection import connected
from recsvc.store.embedded import embedded_redis
from recsvc.store.users import DAY_SECONDS, UserStore


@asynccontextmanager
async def open_store(
    redis_url: str | None,
    data_dir: Path,
    namespace: str,
    *,
    history_limit: int = 256,
    ttl_seconds: int = 400 * DAY_SECONDS,
    timeout_seconds: float = 0.1,
    event_log_limit: int = 1_000_000,
) -> AsyncIterator[UserStore]:
    """The store; connections, and a private server, are closed on exit.

    redis_url: see `connection.connected`; None runs a private redis-server with its data in `data_dir`.
    timeout_seconds: how long Redis may take for an answer. The other limits: see `UserStore`.
    A Redis that is away is no error here: the service starts degraded, and uses it when it is back.
    Raises SettingsError for a URL or a folder that cannot be used, StoreUnavailable when a private server does not
    come up.
    """
    async with AsyncExitStack() as stack:
        url = redis_url
        if url is None:
            url = await stack.enter_async_context(embedded_redis(data_dir))
        client = await stack.enter_async_context(connected(url, timeout_seconds))
        store = UserStore(client, namespace, history_limit, ttl_seconds, event_log_limit)
        try:
            await store.ping()
        except StoreUnavailable as error:
            structlog.get_logger(__name__).warning("Redis is away: starting degraded", problem=str(error))
        try:
            yield store
        finally:
            await store.close()
