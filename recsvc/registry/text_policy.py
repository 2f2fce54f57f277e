"""The writers of reasons and copy in one process, and the texts that the operator has turned off."""

import asyncio
from collections.abc import Set

from recsvc.domain.records import Switch
from recsvc.reasons import EVERYTHING, ContentWriter, PatternPool, ReasonWriter, Switches
from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import SwitchState, SwitchStore

POLL_SECONDS = 0.5


class TextPolicy(PeriodicTask):
    """Keeps the switches as Redis has them. Without Redis they stay as they are.

    Args:
        store: Where the switches are.
        pool: Patterns of a language model; None without one.
        condition: Learns of failures and losses.
        unknown_is_private: See `recsvc.reasons.ReasonWriter`.
        pronoun: How Chinese reasons and copy address the shopper: 您 or 你.

    Attributes:
        writer: Writes reasons.
        content: Writes copy about items.
    """

    wait_seconds = POLL_SECONDS

    def __init__(
        self,
        store: SwitchStore,
        pool: PatternPool | None = None,
        *,
        condition: ServiceCondition,
        unknown_is_private: bool = False,
        pronoun: str = "您",
    ) -> None:
        super().__init__("switches", condition)
        # Everything is off until the switches were read: a restart must not bring back a text that was turned off.
        self._switches = Switches({EVERYTHING})
        self.writer = ReasonWriter(
            pool=pool, switches=self._switches, unknown_is_private=unknown_is_private, pronoun=pronoun
        )
        self.content = ContentWriter(pool=pool, switches=self._switches, pronoun=pronoun)
        self._store = store
        self._known = SwitchState()
        self._turn = asyncio.Lock()  # two answers that overtake each other would look like a Redis that went back

    async def turned_off(self) -> Set[Switch]:
        """Returns the switches that are off now. Raises StoreUnavailable."""
        return (await self._store.read()).off

    async def turn_off(self, switch: Switch) -> None:
        """Turns texts off: in this process on return, in the others within POLL_SECONDS.

        Raises:
            StoreUnavailable: Redis did not answer.
            TooManySwitches: As many switches are off as a request can check.
        """
        await self.step()  # writes back first what Redis has lost, so that this change comes on top of it
        await self._store.turn_off(switch)
        await self.step()

    async def turn_on(self, switch: Switch) -> None:
        """Turns texts on again. Same effect and errors as `turn_off`."""
        await self.step()  # as in `turn_off`
        await self._store.turn_on(switch)
        await self.step()

    async def step(self) -> None:
        """Reads the switches. Those that Redis has lost are turned off again: a text must not come back unnoticed."""
        async with self._turn:
            state = await self._store.read()
            if state.number < self._known.number:
                await self._store.restore(self._known)
                self.condition.lost("switches", len(self._known.off), "what was turned off is turned off again")
                state = await self._store.read()
            self._known, self._switches.off = state, state.off
