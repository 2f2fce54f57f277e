"""From a URL to a Redis client that fails fast."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.runtime.metrics import STORE_ERRORS, STORE_SECONDS

RedisClient: TypeAlias = "Redis | RedisCluster"

_SCHEMES = (
    "redis://host:port/db, rediss://host:port/db, unix:///path, redis+cluster://host:port, "
    "redis+sentinel://host:port,host:port/service"
)
_MAX_CONNECTIONS = 64


@asynccontextmanager
async def connected(url: str, timeout_seconds: float) -> AsyncIterator[RedisClient]:
    """A client for the Redis at `url`, closed on exit. Connects when first used, not here.

    url: one of `_SCHEMES`; `rediss+...` speaks TLS to a Cluster or to a Sentinel's master. Credentials go before an @.
    timeout_seconds: of connecting, of a wait for a free connection, and of each answer. Nothing is tried again, but
        for once on a Cluster, whose client learns of a failover only that way.
    Raises SettingsError for a URL that it cannot use; the message does not repeat it, for it may hold a password.
    """
    try:
        client, sentinel = _client(url, timeout_seconds)
    except (ValueError, RedisClusterException):
        raise SettingsError(f"the Redis URL cannot be used; it must look like one of {_SCHEMES}") from None
    try:
        yield client
    finally:
        await client.aclose()
        for watcher in sentinel.sentinels if sentinel else ():
            await watcher.aclose()


@contextmanager
def operation(name: str) -> Iterator[None]:
    """Times one operation on Redis, and turns whatever the client raises into StoreUnavailable.

    The client's own messages and tracebacks hold addresses and whole commands, keys included: only the error's class
    is kept.
    """
    with STORE_SECONDS.labels(name).time():
        try:
            yield
        except (RedisError, RedisClusterException, OSError) as error:
            STORE_ERRORS.inc()
            raise StoreUnavailable(f"Redis did not do as asked: {type(error).__name__}") from None


def _client(url: str, timeout_seconds: float) -> tuple[RedisClient, Sentinel | None]:
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,  # else every new connection looks up the package's version on disk
    }
    parts = urlsplit(url)
    match parts.scheme:
        case "redis" | "rediss" | "unix":
            pool = BlockingConnectionPool.from_url(
                url, max_connections=_MAX_CONNECTIONS, timeout=timeout_seconds, **options
            )
            return Redis.from_pool(pool), None
        case "redis+cluster" | "rediss+cluster":
            options |= {"retry": Retry(NoBackoff(), 1), "max_connections": _MAX_CONNECTIONS}
            return RedisCluster.from_url(url.replace("+cluster", "", 1), **options), None
        case "redis+sentinel" | "rediss+sentinel":
            return _sentinel_master(parts, options)
    raise ValueError("unknown scheme")


def _sentinel_master(parts: SplitResult, options: dict[str, Any]) -> tuple[Redis, Sentinel]:
    addresses = [urlsplit(f"//{address}") for address in parts.netloc.rpartition("@")[2].split(",")]
    service, _, database = parts.path.strip("/").partition("/")
    if not service or not all(address.hostname for address in addresses):
        raise ValueError("a Sentinel URL names its hosts and the service")
    hosts = [(address.hostname, address.port or 26379) for address in addresses]
    sentinel = Sentinel(hosts, sentinel_kwargs=dict(options))  # type: ignore[no-untyped-call]
    options |= {"db": int(database or 0), "ssl": parts.scheme == "rediss+sentinel"}
    options |= {"max_connections": _MAX_CONNECTIONS}
    options |= {name: unquote(value) for name in ("username", "password") if (value := getattr(parts, name))}
    return sentinel.master_for(service, **options), sentinel
