"""A periodic task runs its first step before `start` returns, repeats it, and ends in order."""

import asyncio
from collections.abc import Callable

from recsvc.runtime.periodic_task import PeriodicTask


class Counting(PeriodicTask):
    """Counts its steps. A step waits until `free` is set."""

    wait_seconds = 0.01

    def __init__(self) -> None:
        super().__init__()
        self.begun = self.finished = 0
        self.free = asyncio.Event()
        self.free.set()

    async def step(self) -> None:
        self.begun += 1
        await self.free.wait()
        self.finished += 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the task has no event for it
            await asyncio.sleep(0.005)


async def test_start_returns_after_the_first_step() -> None:
    task = Counting()
    await task.start()
    assert task.finished == 1
    await task.close()


async def test_steps_repeat_until_the_task_is_closed() -> None:
    task = Counting()
    await task.start()
    await until(lambda: task.finished >= 4)
    await task.close()
    finished = task.finished
    await asyncio.sleep(0.05)
    assert task.finished == finished


async def test_close_waits_for_the_step_that_is_running() -> None:
    task = Counting()
    await task.start()
    task.free.clear()
    await until(lambda: task.begun > task.finished)
    closing = asyncio.create_task(task.close())
    await asyncio.sleep(0.05)
    assert task.closing
    assert not closing.done()
    task.free.set()
    await closing
    assert task.begun == task.finished


async def test_a_task_that_was_never_started_can_be_closed() -> None:
    task = Counting()
    await task.close()
    assert task.begun == 0
