"""What a language model has written ahead, and is asked to write: patterns by what they say, with nothing of a user."""

import json
from collections.abc import Iterable, Sequence

from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

KEPT_SECONDS = 30 * 86_400


class PatternStore:
    """author: names the generator, its model and revision, and the policy that what it wrote was verified under.
    Another of any of these has patterns of its own, so a change of policy leaves nothing behind. Every method raises
    StoreUnavailable.
    """

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def want(self, author: str, cells: Iterable[str]) -> None:
        """Asks for patterns; asking twice is asking once. The cells are those of the policy, so there are few."""
        key = keys.wanted_patterns(self._namespace, author)
        with operation("want_patterns"):
            if listed := sorted(cells):
                await self._client.execute_command("SADD", key, *listed)
                await self._client.execute_command("EXPIRE", key, KEPT_SECONDS)

    async def wanted(self, author: str) -> list[str]:
        """What is asked for and not yet written."""
        with operation("read_wanted_patterns"):
            found = await self._client.execute_command("SMEMBERS", keys.wanted_patterns(self._namespace, author))
        return sorted(cell.decode() for cell in found)

    async def put(self, author: str, cell: str, patterns: Sequence[str]) -> None:
        """Keeps what was written, also when that is nothing, and asks for it no more."""
        key = keys.patterns(self._namespace, author)
        with operation("put_patterns"):
            await self._client.execute_command("HSET", key, cell, json.dumps(patterns, ensure_ascii=False))
            await self._client.execute_command("EXPIRE", key, KEPT_SECONDS)
            await self._client.execute_command("SREM", keys.wanted_patterns(self._namespace, author), cell)

    async def all(self, author: str) -> dict[str, list[str]]:
        """All that an author has written; what cannot be read is passed over, as nothing that is read is trusted."""
        with operation("read_patterns"):
            found = await self._client.execute_command("HGETALL", keys.patterns(self._namespace, author))
        return {cell.decode(errors="replace"): _strings(packed) for cell, packed in found.items()}


def _strings(packed: bytes) -> list[str]:
    try:
        read = json.loads(packed)
    except ValueError:
        return []
    return [each for each in read if isinstance(each, str)] if isinstance(read, list) else []
