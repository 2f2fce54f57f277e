"""Keeps the patterns that language models wrote ahead, and the requests for more. It holds nothing of a user."""

import json
from collections.abc import Iterable, Sequence

from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

KEPT_SECONDS = 30 * 86_400  # since the last write
WORKER_SECONDS = 10  # without a report, after which a worker counts as gone


class PatternStore:
    """Patterns by author and claim key. Every method raises StoreUnavailable.

    An author id names the generator, its model and revision, and the policy version. If any of these changes, another
    set of patterns is used, so patterns of an old policy are never used under a new one.
    """

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def want(self, author: str, claim_keys: Iterable[str]) -> None:
        """Requests patterns for some claims. A repeated request changes nothing. The policy has few claim keys."""
        key = keys.wanted_patterns(self._namespace, author)
        with operation("want_patterns"):
            if members := sorted(claim_keys):
                await self._client.execute_command("SADD", key, *members)
                await self._client.execute_command("EXPIRE", key, KEPT_SECONDS)

    async def wanted(self, author: str) -> list[str]:
        """The claim keys that are requested and not written yet."""
        with operation("read_wanted_patterns"):
            members = await self._client.execute_command("SMEMBERS", keys.wanted_patterns(self._namespace, author))
        return sorted(member.decode() for member in members)

    async def put(self, author: str, claim_key: str, patterns: Sequence[str]) -> None:
        """Stores the patterns for a claim, even if there are none, and removes the request."""
        key = keys.patterns(self._namespace, author)
        with operation("put_patterns"):
            await self._client.execute_command("HSET", key, claim_key, json.dumps(patterns, ensure_ascii=False))
            await self._client.execute_command("EXPIRE", key, KEPT_SECONDS)
            await self._client.execute_command("SREM", keys.wanted_patterns(self._namespace, author), claim_key)

    async def all(self, author: str) -> dict[str, list[str]]:
        """All patterns of an author by claim key. They are not trusted: unreadable values are skipped."""
        with operation("read_patterns"):
            fields = await self._client.execute_command("HGETALL", keys.patterns(self._namespace, author))
        return {claim_key.decode(errors="replace"): _strings(packed) for claim_key, packed in fields.items()}

    async def report(self, author: str, *, is_away: bool) -> None:
        """Reports that a reason worker runs. It must be repeated within `WORKER_SECONDS`.

        Args:
            author: That it writes as.
            is_away: Whether its language model does not answer.
        """
        away = keys.author_away(self._namespace, author)
        with operation("report_worker"):
            await self._client.execute_command("SETEX", keys.worker(self._namespace, author), WORKER_SECONDS, "1")
            if is_away:
                await self._client.execute_command("SETEX", away, WORKER_SECONDS, "1")
            else:
                await self._client.execute_command("DEL", away)

    async def workers(self, author: str) -> tuple[bool, bool]:
        """Returns whether a worker of an author runs, and whether the language model of one does not answer."""
        keys_of_worker = keys.worker(self._namespace, author), keys.author_away(self._namespace, author)
        with operation("read_workers"):
            runs, is_away = await self._client.execute_command("MGET", *keys_of_worker)
        return runs is not None, is_away is not None


def _strings(packed: bytes) -> list[str]:
    try:
        values = json.loads(packed)
    except ValueError:
        return []
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
