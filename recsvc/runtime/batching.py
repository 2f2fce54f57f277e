"""Turns many concurrent small calls into few large ones, run in a thread that releases the interpreter's lock."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

# How long a batch is held open under load: short beside what a request takes then, long beside a turn of the loop.
GATHER_SECONDS = 0.001

In = TypeVar("In")
Out = TypeVar("Out")


class Batcher(Generic[In, Out]):
    """Calls `run` with what has gathered while the last batch was worked on: alone when idle, together under load.

    run: takes a list and returns as many results, in order. It is called in `executor`, one batch at a time. What it
    raises, every call of that batch raises. largest: how many calls one batch may hold.
    """

    def __init__(self, run: Callable[[list[In]], Sequence[Out]], executor: Executor, largest: int = 16) -> None:
        self._run = run
        self._executor = executor
        self._largest = largest
        self._waiting: list[tuple[In, asyncio.Future[Out]]] = []
        self._worker: asyncio.Task[None] | None = None
        self._last_size = 0

    async def __call__(self, item: In) -> Out:
        answer: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
                # A caller that went away (its deadline passed) is not worked for.
                batch = [(item, answer) for item, answer in batch if not answer.done()]
                self._last_size = len(batch)
                if batch:
                    await self._settle(loop, batch)
        finally:
            self._worker = None

    async def _gather(self) -> None:
        """Waits, when the last batch shows that calls come together, for as long as more of them keep coming: a large
        batch costs each of its calls half of what a small one does. A call that comes alone never waits.
        """
        came = 0
        while self._last_size > 1 and came < len(self._waiting) < self._largest:
            came = len(self._waiting)
            await asyncio.sleep(GATHER_SECONDS)

    async def _settle(self, loop: asyncio.AbstractEventLoop, batch: list[tuple[In, "asyncio.Future[Out]"]]) -> None:
        try:
            results = await loop.run_in_executor(self._executor, self._run, [item for item, _ in batch])
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), result in zip(batch, results, strict=True):
            if not answer.done():
                answer.set_result(result)
