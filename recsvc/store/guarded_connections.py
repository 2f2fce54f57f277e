"""Connections that ask a guard before each call, and that leave a Redis which was demoted.

A Redis that was demoted goes on answering over connections that are open, and refuses all writes. After such a refusal
all connections are opened again: the address may lead to another Redis by now.
"""

import asyncio
import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from redis.asyncio import Connection, Redis, RedisCluster, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.exceptions import BusyLoadingError, RedisClusterException, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisUnreachable
from redis.exceptions import TimeoutError as RedisTimeout

from recsvc.store.guard import Guard, patience_seconds
from recsvc.store.sentinel_follower import FollowingSentinel

# In the answer to `INFO server`: a number that each start of a server makes.
_RUN_ID = re.compile(rb"run_id:(\w+)")


class Guards:
    """The guards of one client: one for each server of a Cluster, else a single one.

    Args:
        client: Gets guarded connections. It has none yet.
        timeout_seconds: How long a call waits for its answer.
        sentinel: Names the master of the client, if Sentinels do.
    """

    def __init__(
        self, client: Redis | RedisCluster, timeout_seconds: float, sentinel: FollowingSentinel | None = None
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._sentinel = sentinel
        if sentinel is not None:
            sentinel.on_change = self._master_changed
        self._guards: dict[str, Guard] = {}
        self._cluster = client if isinstance(client, RedisCluster) else None
        if isinstance(client, RedisCluster):
            options = client.connection_kwargs  # the client makes its later nodes from them
            kind = options.get("connection_class", Connection)
            options |= {"connection_class": _GUARDED_OF_CLUSTER[kind], "guards": self}
            for node in client.nodes_manager.startup_nodes.values():
                node.connection_class = options["connection_class"]
                node.connection_kwargs["guards"] = self
        else:
            pool = client.connection_pool
            pool.connection_class = _GUARDED[pool.connection_class]
            pool.connection_kwargs["guards"] = self

    def guard_for(self, kind: Callable[..., Any], options: dict[str, Any]) -> Guard:
        """Returns the guard of a new connection. kind, options: to make the same connection without a guard."""
        address = f"{options['host']}:{options['port']}" if self._cluster else ""
        if address not in self._guards:
            patience = patience_seconds(self._timeout_seconds)
            options = {**options, "socket_timeout": patience, "socket_connect_timeout": patience}
            new_connection = partial(kind, **options)
            guard = Guard(self._timeout_seconds, new_connection, partial(self._is_needed, address))
            guard.ask_sentinels = self._sentinel.look if self._sentinel else None
            self._guards[address] = guard
        return self._guards[address]

    async def close(self) -> None:
        """Ends all background tasks."""
        for guard in self._guards.values():
            await guard.close()

    def _master_changed(self, fails_over: bool) -> None:  # noqa: FBT001  one value, of a callback
        """Opens all connections again. fails_over: whether a failover is under way."""
        for guard in self._guards.values():
            guard.fails_over = fails_over
            guard.generation += 1
            guard.switches += 1  # a write that is under way may have gone to the old master

    async def _is_needed(self, address: str) -> bool:
        """Reads the topology of a Cluster again. Returns whether it has this server; True without a Cluster."""
        if self._cluster is None:
            return True
        nodes = self._cluster.nodes_manager
        with suppress(RedisError, RedisClusterException, OSError):
            await nodes.initialize(last_failed_node_name=address)
        return not nodes.nodes_cache or address in nodes.nodes_cache


def guard_of(client: Redis) -> Guard:
    """Returns the guard of a client of `connection.connected`, of one without a Cluster."""
    pool = client.connection_pool
    kind: Any = pool.connection_class
    options = dict(pool.connection_kwargs)
    guards: Guards = options.pop("guards")
    return guards.guard_for(kind.plain, options)


class _Guarded:
    """Mixin for connections. The pool calls `connect` before each command.

    Attributes:
        plain: The class without the mixin.
        silent_errors: The errors of connecting that count as no answer.
    """

    plain: ClassVar[type[Any]]
    silent_errors: ClassVar[tuple[type[Exception], ...]] = (RedisTimeout,)

    def __init__(self, *, guards: Guards, **options: Any) -> None:  # noqa: ANN401  redis-py's
        super().__init__(**options)
        self._guard = guards.guard_for(self.plain, options)
        self._generation = self._guard.generation
        self._answers_before = 0
        self._server = ""

    async def connect(self) -> None:
        guard = self._guard
        guard.admit()
        self._answers_before = guard.answers
        if self._generation != guard.generation:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
        self._generation = guard.generation
        was_connected: bool = self.is_connected  # type: ignore[attr-defined]
        try:
            await super().connect()  # type: ignore[misc]
        except self.silent_errors:
            guard.was_silent(self._answers_before)
            raise
        if guard.tells_servers_apart:
            if not was_connected:
                await self._ask_for_server()
            guard.goes_to(self._server)

    async def _ask_for_server(self) -> None:
        try:
            await self.send_command("INFO", "server")  # type: ignore[attr-defined]
            run_id = _RUN_ID.search(await self.read_response())
        except BaseException:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise
        self._server = run_id[1].decode() if run_id else ""

    async def read_response(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401  redis-py's
        guard = self._guard
        try:
            answer = await super().read_response(*arguments, **options)  # type: ignore[misc]
        except (ResponseError, BusyLoadingError) as error:
            guard.answers += 1
            guard.refused(error)
            raise
        except self.silent_errors:
            guard.was_silent(self._answers_before)
            raise
        guard.answers += 1
        return answer

    async def read_responses(self, count: int) -> list[Any]:
        """Returns the next answers, refusals among them. All of them must come within the timeout of a single one.

        One timer for all: redis-py sets one for each answer, which takes as long as to read the answer.
        """
        try:
            async with asyncio.timeout(self.socket_timeout):  # type: ignore[attr-defined]
                return [await self._answer_or_refusal() for _ in range(count)]
        except TimeoutError:
            self._guard.was_silent(self._answers_before)
            raise RedisTimeout("Redis did not answer in time") from None

    async def _answer_or_refusal(self) -> Any:  # noqa: ANN401  each command has its own
        try:
            return await self.read_response(timeout=math.inf)
        except ResponseError as refusal:
            return refusal


class _GuardedOfCluster(_Guarded):
    """Mixin for connections of a Cluster's client, which has no pool.

    That client waits a quarter of a second after each lost connection, so a lost one counts as no answer.
    """

    silent_errors = (RedisTimeout, RedisUnreachable)

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  redis-py's
        await self.connect()
        await super().send_packed_command(*arguments, **options)  # type: ignore[misc]


class _GuardedSentinel(_Guarded):
    """Mixin for connections to the master that Sentinels name. Sentinels that hang are met with another error."""

    async def connect(self) -> None:
        began = time.monotonic()
        try:
            await super().connect()
        except RedisUnreachable:
            if time.monotonic() - began >= self.socket_connect_timeout:  # type: ignore[attr-defined]
                self._guard.was_silent(self._answers_before)
            raise


class _GuardedConnection(_Guarded, Connection):
    plain = Connection


class _GuardedSSLConnection(_Guarded, SSLConnection):
    plain = SSLConnection


class _GuardedUnixConnection(_Guarded, UnixDomainSocketConnection):
    plain = UnixDomainSocketConnection


class _GuardedSentinelConnection(_GuardedSentinel, SentinelManagedConnection):
    plain = SentinelManagedConnection


class _GuardedSentinelSSLConnection(_GuardedSentinel, SentinelManagedSSLConnection):
    plain = SentinelManagedSSLConnection


class _GuardedClusterConnection(_GuardedOfCluster, Connection):
    plain = Connection


class _GuardedClusterSSLConnection(_GuardedOfCluster, SSLConnection):
    plain = SSLConnection


_GUARDED: dict[type[Any], type[Any]] = {
    kind.plain: kind
    for kind in (
        _GuardedConnection,
        _GuardedSSLConnection,
        _GuardedUnixConnection,
        _GuardedSentinelConnection,
        _GuardedSentinelSSLConnection,
    )
}
_GUARDED_OF_CLUSTER: dict[type[Any], type[Any]] = {
    kind.plain: kind for kind in (_GuardedClusterConnection, _GuardedClusterSSLConnection)
}
