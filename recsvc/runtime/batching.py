"""Turns many concurrent small calls into few large ones, run in a thread that releases the interpreter's lock."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from recsvc.errors import DeadlinePassed
from recsvc.runtime.deadline import CALL_TIME, CallTime, check_deadline
from recsvc.runtime.work_queue import WorkQueue

# How long a batch is held open under load. Short compared to the time of a request under load, long compared to one
# turn of the event loop.
GATHER_SECONDS = 0.001

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(slots=True)
class _Call(Generic[In, Out]):
    """One item that waits. time: of the call that it is for; None outside of calls."""

    item: In
    answer: asyncio.Future[Out]
    time: CallTime | None

    def begin(self, now: float) -> bool:
        """Returns whether the item is to be run: not if its caller went away, or cannot be answered in time."""
        if self.answer.done():
            return False
        if self.time is not None:
            if self.time.is_too_late(now):
                self.answer.set_exception(DeadlinePassed())
                return False
            self.time.begin_step(now)
        return True


class Batcher(Generic[In, Out]):
    """Collects calls while a batch runs, then runs them as the next batch. A call that comes alone runs at once.

    Args:
        run: Takes a list and returns as many results, in order. If it raises, every call of that batch raises the same.
        executor: Runs `run`, one batch at a time.
        largest: The most calls of one batch.
    """

    def __init__(self, run: Callable[[list[In]], Sequence[Out]], executor: Executor, largest: int = 16) -> None:
        self._run = run
        self._executor = executor
        self._largest = largest
        self._last_size = 0
        self._queue: WorkQueue[_Call[In, Out]] = WorkQueue(self._settle, largest=largest, gather=self._gather)

    async def submit(self, item: In) -> Out:
        """Returns the result of one item, from a batch with others.

        Raises:
            DeadlinePassed: The running call cannot be answered in time. Nothing was run.
            Exception: What `run` raises.
        """
        check_deadline()
        answer: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._queue.put(_Call(item, answer, CALL_TIME.get()))
        return await answer

    async def _gather(self) -> None:
        """Waits for more calls, as long as more keep coming and the last batch shows that calls come together.

        A large batch costs each of its calls half of what a small one does. A call that comes alone never waits.
        """
        seen = 0
        while self._last_size > 1 and seen < len(self._queue) < self._largest:
            seen = len(self._queue)
            await asyncio.sleep(GATHER_SECONDS)

    async def _settle(self, calls: list[_Call[In, Out]]) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        waiting = [call for call in calls if call.begin(now)]
        self._last_size = len(waiting)
        if not waiting:
            return
        try:
            results = await loop.run_in_executor(self._executor, self._run, [call.item for call in waiting])
        except Exception as error:  # noqa: BLE001  every caller gets it
            for call in waiting:
                if not call.answer.done():
                    call.answer.set_exception(error)
            return
        for call, result in zip(waiting, results, strict=True):
            if not call.answer.done():
                call.answer.set_result(result)
