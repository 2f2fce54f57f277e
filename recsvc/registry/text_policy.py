"""What words reasons and copy in one process, what a language model has written, and what the operator turned off."""

import asyncio
from collections.abc import AsyncIterator, Set

from recsvc.domain.query import Query, RecommendationList
from recsvc.domain.reason import Reason
from recsvc.domain.records import Switch
from recsvc.errors import StoreUnavailable
from recsvc.reasons import EVERYTHING, ContentWriter, PatternPool, ReasonWriter, Rewording, Switches
from recsvc.registry.pattern_follower import PatternFollower
from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import UserStore, hash_of

POLL_SECONDS = 0.5
# So long a list that was given waits for better words.
STREAM_SECONDS = 60.0


class TextPolicy:
    """Kept as Redis has it; while that is away, as it was. pool: what a language model writes, None without one."""

    def __init__(self, store: UserStore, pool: PatternPool | None = None, unknown_is_private: bool = False) -> None:
        # Not known yet, so everything is off: what was turned off may not come back because a process started anew.
        self._switches = Switches({EVERYTHING})
        self.writer = ReasonWriter(pool=pool, switches=self._switches, unknown_is_private=unknown_is_private)
        self.content = ContentWriter(pool=pool, switches=self._switches)
        self._store = store.switches
        self._polling = PeriodicTask(self._catch_up, lambda: POLL_SECONDS)
        self._patterns = PatternFollower(store.patterns, pool) if pool is not None else None
        self._waiting: set[_Waiting] = set()

    async def start(self) -> None:
        await self._polling.start()
        if self._patterns is not None:
            await self._patterns.start()

    async def close(self) -> None:
        await self._polling.close()
        if self._patterns is not None:
            await self._patterns.close()

    async def turned_off(self) -> Set[Switch]:
        """What is off. Raises StoreUnavailable."""
        return await self._store.off()

    async def turn_off(self, switch: Switch) -> None:
        """Holds here on return, and elsewhere within POLL_SECONDS. Raises StoreUnavailable and TooManySwitches."""
        await self._store.turn_off(switch)
        self._switches.off = await self._store.off()

    async def turn_on(self, switch: Switch) -> None:
        """As `turn_off`."""
        await self._store.turn_on(switch)
        self._switches.off = await self._store.off()

    async def updates(self, query: Query, answer: RecommendationList) -> AsyncIterator[tuple[str, Reason]]:
        """The ids of items of a list with a language model's words for reasons that had none of its, as it writes them.

        Ends when there is nothing more to wait for, after STREAM_SECONDS, and when the user is erased.
        """
        if self._patterns is None:
            return
        page = [(listed.item, listed.reason) for listed in answer.recommendations]
        rewording = Rewording(self.writer, page, query.language, query.seed)
        waiting = _Waiting(hash_of(query.user_id))
        self._waiting.add(waiting)
        end = asyncio.get_running_loop().time() + STREAM_SECONDS
        try:
            while rewording.pending and not waiting.over and asyncio.get_running_loop().time() < end:
                await self._patterns.news()
                for item, reason in rewording.reworded():
                    if not waiting.over:
                        yield item.item_id, reason
        finally:
            self._waiting.discard(waiting)

    def forget(self, hashes: Set[int]) -> None:
        """Ends what is being written to erased users, who are told by `recsvc.store.hash_of`."""
        for waiting in self._waiting:
            waiting.over |= waiting.user in hashes

    async def _catch_up(self) -> None:
        try:
            self._switches.off = await self._store.off()
        except StoreUnavailable:
            return  # it stays as it was; the store has counted the failure


class _Waiting:
    """A list that is waiting for words. user: as `recsvc.store.hash_of` has it."""

    def __init__(self, user: int) -> None:
        self.user = user
        self.over = False
