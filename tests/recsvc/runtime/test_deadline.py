"""A step is refused when its caller cannot get the answer in time, and only then."""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsvc.errors import DeadlinePassed
from recsvc.runtime.batching import Batcher
from recsvc.runtime.deadline import CALL_TIME, CallTime, TimeToAnswer, check_deadline


def test_a_call_is_too_late_once_its_end_is_nearer_than_the_time_to_its_answer() -> None:
    to_answer = TimeToAnswer()
    call = CallTime(100.0, to_answer)
    assert not call.is_too_late(99.9)
    call.begin_step(99.0)
    call.close(99.5)
    assert CallTime(100.0, to_answer).is_too_late(99.9)
    assert not CallTime(100.0, to_answer).is_too_late(99.6)


def test_an_estimate_that_no_call_confirms_is_forgotten() -> None:
    to_answer = TimeToAnswer()
    to_answer.learn(10.0, now=0.0)
    assert to_answer.estimate(0.0) == pytest.approx(5.0)
    assert to_answer.estimate(20.0) < 0.001


def test_after_a_search_in_vain_a_call_with_as_much_time_is_refused() -> None:
    to_answer = TimeToAnswer()
    call = CallTime(100.0, to_answer)
    call.begin_step(99.0)
    call.close(99.9, cancelled=True)  # the caller's clock is a little ahead
    assert CallTime(101.0, to_answer).is_too_late(100.0)
    assert not CallTime(101.5, to_answer).is_too_late(100.0)


def test_a_caller_that_leaves_long_before_its_deadline_teaches_no_more_than_an_answer() -> None:
    left, answered = TimeToAnswer(), TimeToAnswer()
    for to_answer, cancelled in ((left, True), (answered, False)):
        call = CallTime(100.0, to_answer)
        call.begin_step(10.0)
        call.close(12.0, cancelled=cancelled)
    assert left.estimate(12.0) == answered.estimate(12.0)


def test_an_estimate_that_has_fallen_is_tested_by_one_call_at_a_time() -> None:
    to_answer = TimeToAnswer()
    to_answer.learn(2.0, now=0.0)  # 1 s
    first, second = CallTime(1.5, to_answer), CallTime(1.5, to_answer)
    assert not second.is_too_late(1.0)
    first.begin_step(1.0)
    assert second.is_too_late(1.0)
    assert not first.is_too_late(1.0)  # its next step
    first.close(1.1)  # it was quick: the estimate stays where it had fallen to
    assert not second.is_too_late(1.01)


def test_a_call_that_tests_an_estimate_and_hangs_stops_no_others_for_longer_than_the_estimate() -> None:
    to_answer = TimeToAnswer()
    to_answer.learn(2.0, now=0.0)
    CallTime(math.inf, to_answer).begin_step(1.0)
    assert not CallTime(2.5, to_answer).is_too_late(2.1)


def test_a_call_without_a_costly_step_teaches_nothing() -> None:
    to_answer = TimeToAnswer()
    CallTime(100.0, to_answer).close(50.0)
    assert to_answer.estimate(50.0) == 0.0


async def test_outside_of_a_call_nothing_is_too_late() -> None:
    check_deadline()


async def test_an_item_whose_caller_cannot_be_answered_in_time_is_not_run() -> None:
    seen: list[str] = []

    def run(items: list[str]) -> list[str]:
        seen.extend(items)
        return items

    async def submit(item: str, end: float) -> str:
        CALL_TIME.set(CallTime(end, TimeToAnswer()))
        return await batcher.submit(item)

    now = asyncio.get_running_loop().time()
    with ThreadPoolExecutor(1) as thread:
        batcher = Batcher(run, thread)
        answers = await asyncio.gather(submit("late", now), submit("early", now + 60), return_exceptions=True)
    assert isinstance(answers[0], DeadlinePassed)
    assert answers[1] == "early"
    assert seen == ["early"]


async def test_an_item_that_waits_until_its_end_is_not_run() -> None:
    seen: list[str] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.05

    def run(items: list[str]) -> list[str]:
        seen.extend(items)
        while loop.time() < end:
            pass
        return items

    async def submit(item: str, end: float) -> str:
        CALL_TIME.set(CallTime(end, TimeToAnswer()))
        return await batcher.submit(item)

    with ThreadPoolExecutor(1) as thread:
        batcher = Batcher(run, thread)
        first = asyncio.create_task(submit("first", end + 60))
        await asyncio.sleep(0.01)
        late, last = asyncio.create_task(submit("late", end)), asyncio.create_task(submit("last", end + 60))
        assert [await first, await last] == ["first", "last"]
        with pytest.raises(DeadlinePassed):
            await late
    assert seen == ["first", "last"]
