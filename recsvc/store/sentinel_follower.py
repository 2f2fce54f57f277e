"""Follows which Redis the Sentinels name as the master.

A master that is replaced while it runs goes on taking writes over open connections, for seconds, and loses them when it
becomes a replica. Nothing on these connections shows it. So one background task asks all Sentinels again and again.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any, NamedTuple

from redis.asyncio import Redis, Sentinel
from redis.exceptions import RedisError

_POLL_SECONDS = 0.1

Address = tuple[str, int]


class _Word(NamedTuple):
    """The answer of one Sentinel. epoch: grows with each failover."""

    epoch: int
    address: Address
    fails_over: bool


class FollowingSentinel(Sentinel):
    """The Sentinels of one service. For the event loop's thread alone.

    Of several answers the one of the latest failover holds: Sentinels learn of it one after another.

    Args:
        hosts: Of the Sentinels.
        service: The name of the master.
        options: Of connections to Sentinels.

    Attributes:
        on_change: Is called with whether a failover is under way, when that or the master has changed. While one is
            under way replicas may leave the master, and what they confirm may be lost.
    """

    on_change: Callable[[bool], None]

    def __init__(self, hosts: Sequence[Address], service: str, options: dict[str, Any]) -> None:
        super().__init__(hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
        self._all: list[Redis] = list(self.sentinels)  # redis-py changes the order of its own
        self._service = service
        self._epoch = -1
        self._master: Address | None = None
        self._fails_over = self._is_closed = False
        self._task: asyncio.Task[None] | None = None
        self._silent: set[Redis] = set()

    async def look(self) -> None:
        """Asks the Sentinels now, but for those that did not answer last. Returns when `on_change` knows."""
        await self._look([sentinel for sentinel in self._all if sentinel not in self._silent])

    async def discover_master(self, service_name: str) -> Address:
        """Returns the address for a new connection."""
        if self._task is None and not self._is_closed:
            self._task = asyncio.create_task(self._follow(), context=Context())
        if self._master is None:
            address: Address = await super().discover_master(service_name)
            return address
        return self._master

    async def aclose(self) -> None:
        """Ends the task, and closes the connections to Sentinels."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for sentinel in self._all:
            await sentinel.aclose()

    async def _follow(self) -> None:
        while not self._is_closed:
            await self._look(self._all)
            await asyncio.sleep(_POLL_SECONDS)

    async def _look(self, sentinels: Sequence[Redis]) -> None:
        words = [word for word in await asyncio.gather(*map(self._ask, sentinels)) if word is not None]
        if words:
            self._take(words)

    async def _ask(self, sentinel: Redis) -> _Word | None:
        try:
            state: Any = await sentinel.sentinel_master(self._service)
            answer: Any = await sentinel.sentinel_get_master_addr_by_name(self._service)
            word = _word(state, *answer)
        # It is away, watches no such service, or answers in another way: the task must go on.
        except (RedisError, OSError, TypeError, ValueError, KeyError):
            self._silent.add(sentinel)
            return None
        self._silent.discard(sentinel)
        return word

    def _take(self, words: Sequence[_Word]) -> None:
        latest = max(words)
        fails_over = any(word.fails_over for word in words if word.epoch == latest.epoch)
        has_moved = latest.epoch > self._epoch and latest.address != self._master
        if has_moved or self._master is None:
            self._epoch, self._master = latest.epoch, latest.address
        if has_moved or fails_over != self._fails_over:
            self._fails_over = fails_over
            self.on_change(fails_over)


def _word(state: Any, host: bytes | str, port: str) -> _Word:  # noqa: ANN401  redis-py's
    address = host.decode() if isinstance(host, bytes) else str(host), int(port)
    # From the promotion of a replica on, the state still has the old address.
    is_promoted = (str(state["ip"]), int(state["port"])) != address
    fails_over = "failover_in_progress" in str(state["flags"]) and not is_promoted
    return _Word(int(state["config-epoch"]), address, fails_over)
