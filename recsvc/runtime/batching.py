"""Turns many concurrent small calls into few large ones, run in a thread that releases the interpreter's lock."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

from recsvc.runtime.work_queue import WorkQueue

# How long a batch is held open under load. Short compared to the time of a request under load, long compared to one
# turn of the event loop.
GATHER_SECONDS = 0.001

In = TypeVar("In")
Out = TypeVar("Out")


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
        self._queue: WorkQueue[tuple[In, asyncio.Future[Out]]] = WorkQueue(
            self._settle, largest=largest, gather=self._gather
        )

    async def submit(self, item: In) -> Out:
        """Returns the result of one item, from a batch with others. Raises what `run` raises."""
        answer: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._queue.put((item, answer))
        return await answer

    async def _gather(self) -> None:
        """Waits for more calls, as long as more keep coming and the last batch shows that calls come together.

        A large batch costs each of its calls half of what a small one does. A call that comes alone never waits.
        """
        seen = 0
        while self._last_size > 1 and seen < len(self._queue) < self._largest:
            seen = len(self._queue)
            await asyncio.sleep(GATHER_SECONDS)

    async def _settle(self, calls: list[tuple[In, "asyncio.Future[Out]"]]) -> None:
        # A caller that went away, because its deadline passed, gets no work done.
        waiting = [(item, answer) for item, answer in calls if not answer.done()]
        self._last_size = len(waiting)
        if not waiting:
            return
        loop = asyncio.get_running_loop()
        try:
            results = await loop.run_in_executor(self._executor, self._run, [item for item, _ in waiting])
        except Exception as error:  # noqa: BLE001  every caller gets it
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), result in zip(waiting, results, strict=True):
            if not answer.done():
                answer.set_result(result)
