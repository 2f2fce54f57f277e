"""A step that runs in the background, again and again, until it is closed."""

import asyncio
from abc import ABC, abstractmethod


class PeriodicTask(ABC):
    """Runs `step` at the start, and again after each wait of `wait_seconds`.

    A subclass has the step and the wait. One that overrides `close` calls this one first.
    """

    def __init__(self) -> None:
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def wait_seconds(self) -> float:
        """How long to wait after the last step, in seconds."""

    @abstractmethod
    async def step(self) -> None:
        """Runs once. Must not raise: an error would end the task."""

    @property
    def closing(self) -> bool:
        """Whether `close` was called. A long step can end early then."""
        return self._closing.is_set()

    async def start(self) -> None:
        """Runs the first step, and returns after it. The others follow in the background."""
        await self.step()
        self._task = asyncio.create_task(self._repeat())

    async def close(self) -> None:
        """Ends the task. Returns when no step is running any more."""
        # Not cancelled: on Python 3.11 the code that a step awaits may lose a cancellation that arrives together with
        # an answer.
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _repeat(self) -> None:
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(self.wait_seconds):
                    await self._closing.wait()
            except TimeoutError:
                await self.step()
