"""Decides when a write counts as done: when Redis has it, its disk has it, or a number of replicas have it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import RedisCluster

from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.runtime.rungs import Rung
from recsvc.runtime.work_queue import WorkQueue
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation
from recsvc.store.guarded_connections import guard_of

REDIS, FSYNC, REPLICAS = "redis", "fsync", "replicas:"
_KEPT_SECONDS = 60
# Share of the timeout that Redis waits for replicas. The rest is for its answer.
_WAIT_SHARE = 0.8
_FSYNC_REMEDY = "set appendonly to yes and appendfsync to always in its configuration, or choose another durability"
_FAILED_OVER = "Redis failed over during the write, which may be lost: send it again"

# The answer to a caller, and how often the server had changed before it wrote.
_Waiting = tuple["asyncio.Future[None]", int]


class Durability:
    """Confirms writes. For the event loop's thread alone.

    Replicas get the writes of a Redis in order. So one small write, and a `WAIT` after it, confirm all writes before:
    calls that wait at the same time share one. That holds for one server: what another one had before a failover, the
    `WAIT` says nothing about. So a write is not confirmed if the connections led to two servers meanwhile, or while
    Sentinels replace the server: replicas that confirm it then may be told to forget it.

    Args:
        client: Of Redis.
        namespace: Of the keys.
        required: `redis`: nothing more than its answer. `fsync`: Redis syncs its disk before each answer, which
            `check` verifies. `replicas:N`: N replicas have the write.
        timeout_seconds: How long Redis may take to answer.

    Raises:
        SettingsError: A Cluster cannot wait for replicas.
    """

    def __init__(self, client: RedisClient, namespace: str, required: str, timeout_seconds: float) -> None:
        self._client = client
        self._key = keys.confirmation(namespace)
        self._required = required
        self._replicas = int(required.removeprefix(REPLICAS)) if required.startswith(REPLICAS) else 0
        self._wait_milliseconds = max(1, int(1_000 * _WAIT_SHARE * timeout_seconds))
        self._queue: WorkQueue[_Waiting] = WorkQueue(self._confirm)
        if not self._replicas:
            return
        if isinstance(client, RedisCluster):
            raise SettingsError(
                "durability: a Cluster's client cannot wait for replicas: set min-replicas-to-write in the "
                "configuration of its servers, and choose redis or fsync"
            )
        self._guard = guard_of(client)
        self._guard.tells_servers_apart = True

    @asynccontextmanager
    async def confirmed(self) -> AsyncIterator[None]:
        """Ends when all that was written in the block is as durable as required. An error in the block ends it at once.

        Raises:
            StoreUnavailable: It is not, within the timeout. It is written, and may be lost: write it again.
        """
        switches = self._guard.switches if self._replicas else 0
        yield
        if self._replicas:
            answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.put((answer, switches))
            await answer

    async def check(self) -> None:
        """Checks that Redis is configured as required.

        Raises:
            SettingsError: It is not, or does not let this user ask.
            StoreUnavailable: Redis does not answer in time.
        """
        if self._required != FSYNC:
            return
        try:
            answers = await self._configuration()
        except StoreUnavailable as error:
            if error.rung != Rung.REDIS_ACCESS_REFUSED:
                raise
            raise SettingsError(
                "durability: Redis does not let this user ask whether it syncs its disk: permit +config|get in its ACL"
            ) from None
        if any((server.get("appendonly"), server.get("appendfsync")) != ("yes", "always") for server in answers):
            raise SettingsError(f"durability: Redis does not sync its disk before it answers: {_FSYNC_REMEDY}")

    async def close(self) -> None:
        """Returns when no call waits."""
        await self._queue.close()

    async def _configuration(self) -> list[Mapping[str, Any]]:
        with operation("read_durability"):
            if isinstance(self._client, RedisCluster):
                answers = await self._client.execute_command(
                    "CONFIG GET", "append*", target_nodes=RedisCluster.PRIMARIES
                )
                return list(answers.values())
            return [await self._client.execute_command("CONFIG GET", "append*")]  # type: ignore[no-untyped-call]

    async def _confirm(self, waiting: "list[_Waiting]") -> None:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.execute_command("SETEX", self._key, _KEPT_SECONDS, "1")
        pipeline.execute_command("WAIT", self._replicas, self._wait_milliseconds)
        problem: StoreUnavailable | None = None
        try:
            with operation("wait_for_replicas"):
                _, replicas = await pipeline.execute()
                if self._guard.ask_sentinels is not None:
                    await self._guard.ask_sentinels()
        except StoreUnavailable as error:
            problem = error
        else:
            if replicas < self._replicas:
                problem = StoreUnavailable(
                    f"{replicas} replicas of Redis have the write, and durability requires {self._replicas}: "
                    "send it again",
                    Rung.REDIS_READ_ONLY,
                )
        for answer, switches in waiting:
            if answer.done():
                continue
            if problem is not None:
                answer.set_exception(StoreUnavailable(str(problem), problem.rung))
            elif switches != self._guard.switches or self._guard.fails_over:
                answer.set_exception(StoreUnavailable(_FAILED_OVER, Rung.REDIS_READ_ONLY))
            else:
                answer.set_result(None)
