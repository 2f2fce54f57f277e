"""Items are handled in batches, by one task at a time, and none is lost."""

import asyncio

import pytest

from recsvc.runtime.work_queue import WorkQueue


async def test_items_put_while_a_batch_is_handled_become_the_next_batches() -> None:
    batches: list[list[int]] = []
    free = asyncio.Event()

    async def handle(batch: list[int]) -> None:
        batches.append(batch)
        await free.wait()

    queue = WorkQueue(handle, largest=3)
    queue.put(0)
    await asyncio.sleep(0)
    queue.put(1, 2, 3, 4)
    assert len(queue) == 4
    free.set()
    await queue.close()
    assert batches == [[0], [1, 2, 3], [4]]
    assert len(queue) == 0


async def test_gather_is_awaited_before_each_batch_so_that_items_join_it() -> None:
    batches: list[list[int]] = []

    async def handle(batch: list[int]) -> None:
        batches.append(batch)

    async def gather() -> None:
        await asyncio.sleep(0.02)

    queue = WorkQueue(handle, gather=gather)
    queue.put(1)
    await asyncio.sleep(0.005)
    queue.put(2)
    assert batches == []
    await queue.close()
    assert batches == [[1, 2]]


async def test_dropped_items_are_not_handled() -> None:
    handled: list[int] = []

    async def handle(batch: list[int]) -> None:
        handled.extend(batch)

    queue = WorkQueue(handle)
    queue.put(1, 2, 3)
    queue.drop(lambda item: item == 2)
    await queue.close()
    assert handled == [1, 3]


async def test_an_error_ends_the_task_and_the_next_item_starts_another() -> None:
    handled: list[int] = []

    async def handle(batch: list[int]) -> None:
        if 0 in batch:
            raise ValueError("bad item")
        handled.extend(batch)

    queue = WorkQueue(handle, largest=1)
    queue.put(0, 1)
    with pytest.raises(ValueError, match="bad item"):
        await queue.close()
    queue.put(2)
    await queue.close()
    assert handled == [1, 2]


async def test_nothing_put_starts_no_task() -> None:
    async def handle(batch: list[int]) -> None:
        raise AssertionError(batch)

    queue = WorkQueue[int](handle)
    queue.put()
    await queue.close()
