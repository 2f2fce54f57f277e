"""Which texts are turned off, for every process that shares the Redis and for those that start later."""

import json
from collections.abc import Iterable

from recsvc.domain.records import Switch
from recsvc.errors import TooManySwitches
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

MAX_SWITCHES = 100


class SwitchStore:
    """Every method raises StoreUnavailable."""

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._key = keys.switches(namespace)

    async def turn_off(self, switch: Switch) -> None:
        """Twice is once. Raises TooManySwitches."""
        with operation("turn_off"):
            if await self._client.execute_command("SCARD", self._key) >= MAX_SWITCHES:
                raise TooManySwitches(MAX_SWITCHES)
            await self._client.execute_command("SADD", self._key, _packed(switch))

    async def turn_on(self, switch: Switch) -> None:
        """Takes back that very switch; nothing where it is not off."""
        with operation("turn_on"):
            await self._client.execute_command("SREM", self._key, _packed(switch))

    async def off(self) -> frozenset[Switch]:
        """All that is off; what cannot be read is passed over, as nothing that is read is trusted."""
        with operation("read_switches"):
            found: Iterable[bytes] = await self._client.execute_command("SMEMBERS", self._key)
        return frozenset(filter(None, map(_unpacked, found)))


def _packed(switch: Switch) -> str:
    return json.dumps(switch, ensure_ascii=False)


def _unpacked(packed: bytes) -> Switch | None:
    try:
        fields = json.loads(packed)
    except ValueError:
        return None
    whole = isinstance(fields, list) and len(fields) == len(Switch._fields)
    return Switch(*fields) if whole and all(isinstance(each, str) for each in fields) else None
