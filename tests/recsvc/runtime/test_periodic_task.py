"""A periodic task runs its first step before `start` returns, repeats it, and ends in order."""

import asyncio
from collections.abc import Callable

import pytest
import structlog.testing

from recsvc.domain.degradation import Degradation
from recsvc.errors import StoreUnavailable
from recsvc.runtime import condition
from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.periodic_task import PeriodicTask


class Counting(PeriodicTask):
    """Counts its steps. A step waits until `free` is set."""

    wait_seconds = 0.01

    def __init__(self) -> None:
        super().__init__("counting", ServiceCondition())
        self.begun = self.finished = 0
        self.error: Exception | None = None
        self.free = asyncio.Event()
        self.free.set()

    async def step(self) -> None:
        self.begun += 1
        if self.error is not None:
            raise self.error
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


async def test_a_step_that_raises_ends_neither_the_start_nor_the_task() -> None:
    task = Counting()
    task.error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "secret")
    with structlog.testing.capture_logs() as logs:
        await task.start()
        await until(lambda: task.begun >= 4)
        task.error = None
        await until(lambda: task.finished >= 2)
    assert [line["event"] for line in logs] == ["follower_behind", "follower_caught_up"]
    assert "secret" not in str(logs[0]["problem"])
    assert task.condition.problems() == ()
    await task.close()


async def test_a_task_that_goes_on_failing_is_behind_until_it_succeeds() -> None:
    task = Counting()
    await task.start()
    task.error = StoreUnavailable("Redis is away")
    with structlog.testing.capture_logs() as logs:
        await until(lambda: bool(task.condition.problems()))
        assert task.condition.problems() == ("counting cannot be followed: Redis is away",)
        begun = task.begun
        await until(lambda: task.begun > begun)  # it is logged by the next step
    assert [line["problem"] for line in logs] == ["Redis is away"]
    task.error = None
    await until(lambda: not task.condition.problems())
    task.error = StoreUnavailable("Redis is away")
    await until(lambda: bool(task.condition.problems()))
    await task.close()
    assert task.condition.problems() == ()


async def test_one_failed_step_is_no_problem_yet() -> None:
    task = Counting()
    await task.start()
    task.error = StoreUnavailable("Redis is away")
    with structlog.testing.capture_logs() as logs:
        await task.run_step()
        task.error = None
        assert task.condition.problems() == ()
        await task.run_step()
    assert logs == []
    await task.close()


async def test_a_loss_is_logged_once_and_shown_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    state = ServiceCondition()
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            state.lost("items", 2, "written back")
    assert [(line["event"], line["data"]) for line in logs] == [("redis_lost_data", "items")]
    assert Degradation.DATA_LOST in state.degradations
    assert state.problems() == ("Redis lost data: items",)
    monkeypatch.setattr(condition, "LOSS_SECONDS", 0.0)
    assert Degradation.DATA_LOST not in state.degradations
    assert state.problems() == ()
