"""Turns many concurrent small calls into few large ones, in a thread that releases the interpreter's lock."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

# How long a batch is held open under load. Short compared to the time of a request under load, long compared to one
# turn of the event loop.
GATHER_SECONDS = 0.001

In = TypeVar("In")
Out = TypeVar("Out")


class Batcher(Generic[In, Out]):
    """Runs the calls that arrived during the last batch as one batch. A call that comes alone runs at once.

    Args:
        run: Takes a list of inputs and returns as many results, in the same order. It runs in `executor`, one batch at
            a time. An error that it raises is raised by every call of that batch.
        executor: The thread for `run`.
        largest: Most calls in one batch.
    """

    def __init__(self, run: Callable[[list[In]], Sequence[Out]], executor: Executor, largest: int = 16) -> None:
        self._run = run
        self._executor = executor
        self._largest = largest
        self._waiting: list[tuple[In, asyncio.Future[Out]]] = []
        self._worker: asyncio.Task[None] | None = None
        self._last_size = 0

    async def submit(self, value: In) -> Out:
        """Returns the result for one input, from a batch with others."""
        result: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((value, result))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await result

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
                # A caller whose deadline has passed needs no result.
                batch = [(value, result) for value, result in batch if not result.done()]
                self._last_size = len(batch)
                if batch:
                    await self._run_batch(loop, batch)
        finally:
            self._worker = None

    async def _gather(self) -> None:
        """Waits while more calls keep arriving, if the last batch held more than one call.

        A call costs half as much in a large batch. A call that comes alone never waits.
        """
        count = 0
        while self._last_size > 1 and count < len(self._waiting) < self._largest:
            count = len(self._waiting)
            await asyncio.sleep(GATHER_SECONDS)

    async def _run_batch(self, loop: asyncio.AbstractEventLoop, batch: list[tuple[In, "asyncio.Future[Out]"]]) -> None:
        try:
            outputs = await loop.run_in_executor(self._executor, self._run, [value for value, _ in batch])
        except Exception as error:  # noqa: BLE001 - each caller of the batch raises it
            for _, result in batch:
                if not result.done():
                    result.set_exception(error)
            return
        for (_, result), output in zip(batch, outputs, strict=True):
            if not result.done():
                result.set_result(output)
