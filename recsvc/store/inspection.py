"""Asks a Redis for what an operator should know of it: version, role, memory, files, clock and permissions."""

import time
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import RedisCluster

from recsvc.store.connection import RedisClient, check_access, operation
from recsvc.store.eviction import Eviction, read_eviction, read_info
from recsvc.store.permissions import missing_permissions
from recsvc.store.schema import stored_version

_PINGS = 9


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What a Redis says of itself. On a Cluster, of the server that is the worst.

    Attributes:
        version: Major and minor; (0, 0) if Redis does not say it.
        is_replica: Whether it refuses writes because it is a replica.
        in_cluster: Whether it is a server of a Redis Cluster.
        eviction: What it does when its memory is full.
        memory_share: The share of `maxmemory` that is used; 0 without such a limit.
        keeps_log: Whether it writes each change to an append-only file.
        replicas: That are connected to it.
        write_error: Whether the last write of its files failed.
        clock_ahead_seconds: Its clock less that of this machine.
        answer_seconds: The median time of an answer.
        schema: The version that the namespace has; None if it is empty.
        missing_commands: Those that this user may not run.
        may_use_keys: Whether this user may use the keys of the namespace.
    """

    version: tuple[int, int]
    is_replica: bool
    in_cluster: bool
    eviction: Eviction
    memory_share: float
    keeps_log: bool
    replicas: int
    write_error: bool
    clock_ahead_seconds: float
    answer_seconds: float
    schema: int | None
    missing_commands: list[str]
    may_use_keys: bool


async def inspect(client: RedisClient, namespace: str) -> RedisFacts:
    """Asks for everything.

    Raises:
        SettingsError: Redis refuses the user, the password or the database.
        StoreUnavailable: Redis does not answer in time.
    """
    await check_access(client)
    missing, may_use_keys = await missing_permissions(client, namespace)
    servers: list[Mapping[str, Any]] = [{}]
    eviction = Eviction("", 0)
    clock_ahead, times = 0.0, [0.0]
    with operation("inspect"):
        if "INFO" not in missing:
            servers = await _all_info(client)
            eviction = await read_eviction(client)
        if "TIME" not in missing:
            clock_ahead, times = await _clock(client)
    return RedisFacts(
        version=min(map(_version, servers)),
        is_replica=any(server.get("role") == "slave" for server in servers),
        in_cluster=any(server.get("redis_mode") == "cluster" for server in servers),
        eviction=eviction,
        memory_share=max(map(_memory_share, servers)),
        keeps_log=all(server.get("aof_enabled", 1) == 1 for server in servers),
        replicas=min(int(server.get("connected_slaves", 0)) for server in servers),
        write_error=any(
            "err" in (server.get("aof_last_write_status"), server.get("rdb_last_bgsave_status")) for server in servers
        ),
        clock_ahead_seconds=clock_ahead,
        answer_seconds=sorted(times)[len(times) // 2],
        schema=await stored_version(client, namespace) if may_use_keys and "GET" not in missing else None,
        missing_commands=missing,
        may_use_keys=may_use_keys,
    )


async def _all_info(client: RedisClient) -> list[Mapping[str, Any]]:
    """Some sections of INFO, of each server that holds keys."""
    sections = [await read_info(client, name) for name in ("server", "replication", "memory", "persistence")]
    return [dict(ChainMap(*map(dict, of_server))) for of_server in zip(*sections, strict=True)]


async def _clock(client: RedisClient) -> tuple[float, list[float]]:
    """Returns how far the clock of Redis is ahead, by the fastest of some answers, and how long each took."""
    ahead, fastest, times = 0.0, float("inf"), []
    target = {"target_nodes": RedisCluster.RANDOM} if isinstance(client, RedisCluster) else {}
    for _ in range(_PINGS):
        sent, began = time.time(), time.monotonic()
        seconds, microseconds = await client.execute_command("TIME", **target)
        took = time.monotonic() - began
        times.append(took)
        if took < fastest:
            fastest = took
            ahead = int(seconds) + int(microseconds) / 1_000_000 - (sent + took / 2)
    return ahead, times


def _version(server: Mapping[str, Any]) -> tuple[int, int]:
    major, minor, *_ = [*str(server.get("redis_version", "0.0")).split("."), "0"]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)


def _memory_share(server: Mapping[str, Any]) -> float:
    limit = int(server.get("maxmemory", 0))
    return int(server.get("used_memory", 0)) / limit if limit else 0.0
