"""Reads what Redis does when its memory is full."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import RedisCluster

from recsvc.store.connection import RedisClient, operation

# The policy under which Redis refuses writes when it is full. Any other one deletes keys: histories, or profiles.
KEEP_ALL_KEYS = "noeviction"


@dataclass(frozen=True, slots=True)
class Eviction:
    """What Redis does, and has done, when its memory is full.

    Attributes:
        policy: The setting `maxmemory-policy`, "" if Redis does not say it. On a Cluster, one that evicts if any server
            has such a one.
        evicted_keys: Since Redis started, on all servers.
    """

    policy: str
    evicted_keys: int

    @property
    def may_evict(self) -> bool:
        """Whether Redis deletes keys when its memory is full."""
        return self.policy not in ("", KEEP_ALL_KEYS)


async def read_eviction(client: RedisClient) -> Eviction:
    """Asks Redis for its policy and its evictions.

    Raises:
        StoreUnavailable: Redis did not answer, or does not let this user ask.
    """
    with operation("read_settings"):
        # INFO and not CONFIG GET: hosted Redis often forbids CONFIG.
        memory = await read_info(client, "memory")
        stats = await read_info(client, "stats")
    policies = sorted({str(server.get("maxmemory_policy", "")) for server in memory} - {"", KEEP_ALL_KEYS})
    policy = policies[0] if policies else str(memory[0].get("maxmemory_policy", ""))
    return Eviction(policy, sum(int(server.get("evicted_keys", 0)) for server in stats))


async def read_info(client: RedisClient, section: str) -> list[Mapping[str, Any]]:
    """A section of INFO, of each server that holds keys."""
    if isinstance(client, RedisCluster):
        answers = await client.execute_command("INFO", section, target_nodes=RedisCluster.PRIMARIES)
        return list(answers.values())
    return [await client.execute_command("INFO", section)]  # type: ignore[no-untyped-call]
