"""A step that runs in the background, again and again, until it is closed."""

import asyncio
from abc import ABC, abstractmethod

from recsvc.errors import StoreUnavailable
from recsvc.runtime.condition import FollowerState, ServiceCondition
from recsvc.runtime.metrics import FOLLOWER_ERRORS


class PeriodicTask(ABC):
    """Runs `step` at the start, and again after each wait of `wait_seconds`, whatever a step raises.

    A subclass has the step and the wait. One that overrides `close` calls this one first.

    Args:
        name: What the task keeps up to date; a label of metrics.
        condition: Shows whether the task does its work.
    """

    def __init__(self, name: str, condition: ServiceCondition) -> None:
        self.condition = condition
        self._progress = FollowerState(name)
        FOLLOWER_ERRORS.labels(name)  # Prometheus sees the first error only if there was a zero before
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def wait_seconds(self) -> float:
        """How long to wait after the last step, in seconds."""

    @abstractmethod
    async def step(self) -> None:
        """Runs once. An error ends this step alone: the next one tries again."""

    @property
    def closing(self) -> bool:
        """Whether `close` was called. A long step can end early then."""
        return self._closing.is_set()

    async def start(self) -> None:
        """Runs the first step, and returns after it, even if it failed. The others follow in the background."""
        self.condition.watch(self._progress)
        await self.run_step()
        self._task = asyncio.create_task(self._repeat())

    async def close(self) -> None:
        """Ends the task. Returns when no step is running any more."""
        # Not cancelled: on Python 3.11 the code that a step awaits may lose a cancellation that arrives together with
        # an answer.
        self._closing.set()
        if self._task is not None:
            await self._task
        self.condition.unwatch(self._progress)

    async def run_step(self) -> None:
        """Runs a step now, and notes its error instead of raising it. A subclass says if it may be called any time."""
        try:
            await self.step()
        except Exception as error:  # noqa: BLE001 - what is in memory still serves, and the next step tries again
            self._progress.failed(error, expected=isinstance(error, StoreUnavailable))
        else:
            self._progress.succeeded()

    async def _repeat(self) -> None:
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(self.wait_seconds):
                    await self._closing.wait()
            except TimeoutError:
                await self.run_step()
