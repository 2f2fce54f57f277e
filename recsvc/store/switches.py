"""Keeps which texts are turned off, for every process that shares the Redis, now or later."""

import json
from collections.abc import Iterable

from recsvc.domain.records import Switch
from recsvc.errors import TooManySwitches
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

MAX_SWITCHES = 100


class SwitchStore:
    """The set of switches. Every method raises StoreUnavailable."""

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._key = keys.switches(namespace)

    async def turn_off(self, switch: Switch) -> None:
        """Turns texts off. A repeated call changes nothing.

        Raises:
            TooManySwitches: `MAX_SWITCHES` switches are set already.
        """
        with operation("turn_off"):
            if await self._client.execute_command("SCARD", self._key) >= MAX_SWITCHES:
                raise TooManySwitches(MAX_SWITCHES)
            await self._client.execute_command("SADD", self._key, _packed(switch))

    async def turn_on(self, switch: Switch) -> None:
        """Removes exactly this switch. Nothing happens if it is not set."""
        with operation("turn_on"):
            await self._client.execute_command("SREM", self._key, _packed(switch))

    async def off(self) -> frozenset[Switch]:
        """All switches. They are not trusted: unreadable values are skipped."""
        with operation("read_switches"):
            members: Iterable[bytes] = await self._client.execute_command("SMEMBERS", self._key)
        return frozenset(filter(None, map(_unpacked, members)))


def _packed(switch: Switch) -> str:
    return json.dumps(switch, ensure_ascii=False)


def _unpacked(packed: bytes) -> Switch | None:
    try:
        fields = json.loads(packed)
    except ValueError:
        return None
    is_complete = isinstance(fields, list) and len(fields) == len(Switch._fields)
    return Switch(*fields) if is_complete and all(isinstance(field, str) for field in fields) else None
