"""Makes a Redis client that fails fast, from a URL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.client import Pipeline
from redis.asyncio.cluster import ClusterPipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.runtime.metrics import STORE_ERRORS, STORE_SECONDS
from recsvc.runtime.tracing import redis_span
from recsvc.store.guarded_connections import Guards
from recsvc.store.refusals import access_problem, name_of, rung_of
from recsvc.store.sentinel_follower import FollowingSentinel

RedisClient: TypeAlias = "Redis | RedisCluster"
RedisPipeline: TypeAlias = "Pipeline | ClusterPipeline"

_SCHEMES = (
    "redis://host:port/db, rediss://host:port/db, unix:///path, redis+cluster://host:port, "
    "redis+sentinel://host:port,host:port/service"
)
_MAX_CONNECTIONS = 64
_SENTINEL_PORT = 26379
_FALSE = ("false", "no", "0", "")


@asynccontextmanager
async def connected(url: str, timeout_seconds: float) -> AsyncIterator[RedisClient]:
    """Yields a client for the Redis at `url`, and closes it on exit. The client connects when it is first used.

    Args:
        url: One of `_SCHEMES`; `rediss+...` uses TLS to a Cluster or a Sentinel's master. Credentials go before an @.
            Options of TLS stand in the query, with the names of redis-py, such as ssl_ca_certs. `sentinel_tls=true`
            uses TLS to Sentinels as well.
        timeout_seconds: Of connecting, of waiting for a free connection, and of each answer. Nothing is tried again,
            except once on a Cluster, whose client learns of a failover only by an error.

    Raises:
        SettingsError: The URL cannot be used. The message does not repeat it, because it may hold a password.
    """
    try:
        client, sentinel = _client(url, timeout_seconds)
    except (ValueError, RedisClusterException):
        raise SettingsError(f"the Redis URL cannot be used; it must look like one of {_SCHEMES}") from None
    guards = Guards(client, timeout_seconds, sentinel)
    try:
        yield client
    finally:
        await guards.close()
        await client.aclose()
        if sentinel:
            await sentinel.aclose()


async def check_access(client: RedisClient) -> None:
    """Asks Redis for an answer.

    Raises:
        SettingsError: Redis does not accept the user or the password, or has no such database. It does not heal.
        StoreUnavailable: Redis does not answer.
    """
    with operation("ping"):
        try:
            await client.execute_command("PING")
        except RedisError as error:
            if not (problem := access_problem(error)):
                raise
            raise SettingsError(f"redis_url: Redis {problem}: correct redis_url") from None


@contextmanager
def operation(name: str) -> Iterator[None]:
    """Times and traces one operation on Redis, and turns every error of the client into StoreUnavailable.

    Only the class of the error is kept: the client's messages and tracebacks contain addresses, commands and keys.

    Args:
        name: Of the operation; a label of the metric, and the name of the span.
    """
    with STORE_SECONDS.labels(name).time(), redis_span(name):
        try:
            yield
        except (RedisError, RedisClusterException, OSError) as error:
            STORE_ERRORS.inc()
            raise StoreUnavailable(f"Redis did not do as asked: {name_of(error)}", rung_of(error) or "") from None


def _client(url: str, timeout_seconds: float) -> tuple[RedisClient, FollowingSentinel | None]:
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,  # otherwise every new connection looks up the package's version on disk
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


def _sentinel_master(parts: SplitResult, options: dict[str, Any]) -> tuple[Redis, FollowingSentinel]:
    addresses = [urlsplit(f"//{address}") for address in parts.netloc.rpartition("@")[2].split(",")]
    service, _, database = parts.path.strip("/").partition("/")
    if not service or not all(address.hostname for address in addresses):
        raise ValueError("a Sentinel URL has hosts and a service")
    hosts = [(str(address.hostname), address.port or _SENTINEL_PORT) for address in addresses]
    query = dict(parse_qsl(parts.query))
    tls: dict[str, Any] = {name: value for name, value in query.items() if name.startswith("ssl_")}
    if "ssl_check_hostname" in tls:
        tls["ssl_check_hostname"] = tls["ssl_check_hostname"].lower() not in _FALSE
    has_tls = query.get("sentinel_tls", "false").lower() not in _FALSE
    to_sentinels = {**options, "ssl": True, **tls} if has_tls else options
    sentinel = FollowingSentinel(hosts, service, dict(to_sentinels))
    options |= {"db": int(database or 0), "ssl": parts.scheme == "rediss+sentinel", **tls}
    options |= {"max_connections": _MAX_CONNECTIONS}
    options |= {name: unquote(value) for name in ("username", "password") if (value := getattr(parts, name))}
    return sentinel.master_for(service, **options), sentinel
