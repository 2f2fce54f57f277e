"""Doing a step again and again beside all else, until it is to end."""

import asyncio
from collections.abc import Awaitable, Callable


class PeriodicTask:
    """step: must not raise. seconds: how long to wait after each."""

    def __init__(self, step: Callable[[], Awaitable[None]], seconds: Callable[[], float]) -> None:
        self._step = step
        self._seconds = seconds
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def ending(self) -> bool:
        """A step that takes long may end early then."""
        return self._end.is_set()

    async def start(self) -> None:
        """Returns after the first step."""
        await self._step()
        self._task = asyncio.create_task(self._poll())

    async def close(self) -> None:
        """Returns when no step is under way any more."""
        # Not cancelled: below us, Python 3.11 may lose a cancellation that comes as an answer does.
        self._end.set()
        if self._task is not None:
            await self._task

    async def _poll(self) -> None:
        while not self._end.is_set():
            try:
                async with asyncio.timeout(self._seconds()):
                    await self._end.wait()
            except TimeoutError:
                await self._step()
