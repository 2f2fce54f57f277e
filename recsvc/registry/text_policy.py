"""The writers of reasons and copy in one process, and the texts that the operator has turned off."""

from collections.abc import Set

from recsvc.domain.records import Switch
from recsvc.errors import StoreUnavailable
from recsvc.reasons import EVERYTHING, ContentWriter, PatternPool, ReasonWriter, Switches
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import SwitchStore

POLL_SECONDS = 0.5


class TextPolicy(PeriodicTask):
    """Keeps the switches as Redis has them. Without Redis they stay as they are.

    Args:
        store: Where the switches are.
        pool: Patterns of a language model; None without one.
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
        unknown_is_private: bool = False,
        pronoun: str = "您",
    ) -> None:
        super().__init__()
        # Everything is off until the switches were read: a restart must not bring back a text that was turned off.
        self._switches = Switches({EVERYTHING})
        self.writer = ReasonWriter(
            pool=pool, switches=self._switches, unknown_is_private=unknown_is_private, pronoun=pronoun
        )
        self.content = ContentWriter(pool=pool, switches=self._switches, pronoun=pronoun)
        self._store = store

    async def turned_off(self) -> Set[Switch]:
        """Returns the switches that are off now. Raises StoreUnavailable."""
        return await self._store.off()

    async def turn_off(self, switch: Switch) -> None:
        """Turns texts off: in this process on return, in the others within POLL_SECONDS.

        Raises:
            StoreUnavailable: Redis did not answer.
            TooManySwitches: As many switches are off as a request can check.
        """
        await self._store.turn_off(switch)
        self._switches.off = await self._store.off()

    async def turn_on(self, switch: Switch) -> None:
        """Turns texts on again. Same effect and errors as `turn_off`."""
        await self._store.turn_on(switch)
        self._switches.off = await self._store.off()

    async def step(self) -> None:
        """Reads the switches."""
        try:
            self._switches.off = await self._store.off()
        except StoreUnavailable:
            return  # they stay as they are; the store has counted the failure
