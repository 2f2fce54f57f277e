"""Keeps which texts are turned off, for every process that shares the Redis, now or later."""

import json
import re
from dataclasses import dataclass

from recsvc.domain.records import Switch
from recsvc.errors import TooManySwitches
from recsvc.store import keys, scripts, shop_scripts
from recsvc.store.connection import RedisClient, operation
from recsvc.store.durability import Durability

MAX_SWITCHES = 100
_NUMBER = re.compile(rb'\{"number": (\d+)\}')  # the one member that is no switch; see `shop_scripts.SWITCH`


@dataclass(frozen=True, slots=True)
class SwitchState:
    """The switches at one moment.

    Attributes:
        off: The switches that are off.
        number: Grows with each change. It falls if Redis goes back to an earlier state.
    """

    off: frozenset[Switch] = frozenset()
    number: int = 0


class SwitchStore:
    """The set of switches. Every method raises StoreUnavailable."""

    def __init__(self, client: RedisClient, namespace: str, durability: Durability) -> None:
        self._client = client
        self._durability = durability
        self._key = keys.switches(namespace)

    async def turn_off(self, switch: Switch) -> None:
        """Turns texts off. A repeated call changes nothing.

        Raises:
            TooManySwitches: `MAX_SWITCHES` switches are set already.
        """
        arguments = (self._key, "SADD", _packed(switch), MAX_SWITCHES)
        async with self._durability.confirmed():
            with operation("turn_off"):
                has_room = await scripts.run(self._client, shop_scripts.SWITCH, *arguments)
            if not has_room:
                raise TooManySwitches(MAX_SWITCHES)

    async def turn_on(self, switch: Switch) -> None:
        """Removes exactly this switch. Nothing happens if it is not set."""
        arguments = (self._key, "SREM", _packed(switch), MAX_SWITCHES)
        async with self._durability.confirmed():
            with operation("turn_on"):
                await scripts.run(self._client, shop_scripts.SWITCH, *arguments)

    async def read(self) -> SwitchState:
        """All switches. They are not trusted: unreadable values are skipped."""
        with operation("read_switches"):
            members: list[bytes] = list(await self._client.execute_command("SMEMBERS", self._key))
        numbers = [int(match[1]) for match in map(_NUMBER.fullmatch, members) if match is not None]
        return SwitchState(frozenset(filter(None, map(_unpacked, members))), max(numbers, default=0))

    async def restore(self, state: SwitchState) -> None:
        """Turns off again what was off in a state that Redis has lost, unless another process was faster."""
        with operation("turn_off"):
            switches = map(_packed, sorted(state.off))
            await scripts.run(self._client, shop_scripts.RESTORE_SWITCHES, self._key, state.number, *switches)


def _packed(switch: Switch) -> str:
    return json.dumps(switch, ensure_ascii=False)


def _unpacked(packed: bytes) -> Switch | None:
    try:
        fields = json.loads(packed)
    except ValueError:
        return None
    is_complete = isinstance(fields, list) and len(fields) == len(Switch._fields)
    return Switch(*fields) if is_complete and all(isinstance(field, str) for field in fields) else None
