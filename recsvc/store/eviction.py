"""Reads what Redis does when its memory is full."""

from recsvc.store.connection import RedisClient, operation

# The policy under which Redis refuses writes when it is full. Any other one deletes keys: histories, or profiles.
KEEP_ALL_KEYS = "noeviction"


async def eviction_policy(client: RedisClient) -> str:
    """Returns the setting `maxmemory-policy`, "" if Redis does not say it.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    with operation("read_settings"):
        # INFO and not CONFIG GET: hosted Redis often forbids CONFIG.
        memory = await client.execute_command("INFO", "memory")
    return str(memory.get("maxmemory_policy", ""))
