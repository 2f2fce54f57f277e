"""Calls that arrive during a batch form the next one; an error reaches the calls of its batch alone."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsvc.runtime.batching import Batcher


async def test_calls_that_arrive_while_the_thread_is_busy_form_batches() -> None:
    batches: list[int] = []
    free = threading.Event()

    def double(items: list[int]) -> list[int]:
        batches.append(len(items))
        free.wait(10)
        return [2 * item for item in items]

    with ThreadPoolExecutor(1) as thread:
        batcher = Batcher(double, thread, largest=4)
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(batcher.submit(i)) for i in range(1, 8)]
        await asyncio.sleep(0.05)
        free.set()
        assert await asyncio.gather(first, *rest) == [2 * i for i in range(8)]
    assert batches == [1, 4, 3]


async def test_an_error_reaches_the_calls_of_its_own_batch_alone() -> None:
    def reciprocal(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    with ThreadPoolExecutor(1) as thread:
        batcher = Batcher(reciprocal, thread)
        failed = await asyncio.gather(batcher.submit(0), batcher.submit(1), return_exceptions=True)
        assert all(isinstance(error, ZeroDivisionError) for error in failed)
        assert await batcher.submit(4) == 0.25


async def test_a_call_that_was_cancelled_is_not_run() -> None:
    seen: list[int] = []
    free = threading.Event()

    def same(items: list[int]) -> list[int]:
        free.wait(10)
        seen.extend(items)
        return items

    with ThreadPoolExecutor(1) as thread:
        batcher = Batcher(same, thread)
        first = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0.05)
        left, stays = asyncio.create_task(batcher.submit(2)), asyncio.create_task(batcher.submit(3))
        await asyncio.sleep(0)
        left.cancel()
        free.set()
        assert await asyncio.gather(first, stays) == [1, 3]
        with pytest.raises(asyncio.CancelledError):
            await left
    assert seen == [1, 3]
