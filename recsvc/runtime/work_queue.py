"""Gathers items and handles them in batches, in one background task that runs while any are waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Generic, TypeVar

Item = TypeVar("Item")


class WorkQueue(Generic[Item]):
    """A queue with one background task. For the event loop's thread alone.

    The task belongs to no caller: one that is cancelled cannot take the items of others with it, and neither the
    deadline nor the trace of one is taken for theirs.

    Args:
        handle: Handles one batch. Only one call runs at a time. It should not raise: an exception ends the task, and
            what is waiting then is handled with the next `put`.
        largest: Items in a batch at most; None for no limit.
        gather: Is awaited before each batch is taken, so that more items can join it. None takes the batch at once.
    """

    def __init__(
        self,
        handle: Callable[[list[Item]], Awaitable[None]],
        *,
        largest: int | None = None,
        gather: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._handle = handle
        self._largest = largest
        self._gather = gather
        self._items: list[Item] = []
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many items are waiting."""
        return len(self._items)

    def put(self, *items: Item) -> None:
        """Adds items, and starts the task if it is not running."""
        self._items += items
        if self._task is None and self._items:
            self._task = asyncio.create_task(self._run(), context=Context())

    def drop(self, matches: Callable[[Item], bool]) -> None:
        """Removes the waiting items that match."""
        self._items = [item for item in self._items if not matches(item)]

    async def close(self) -> None:
        """Returns once all items are handled."""
        while self._task is not None:
            await self._task

    async def _run(self) -> None:
        try:
            while self._items:
                if self._gather is not None:
                    await self._gather()
                batch = self._items[: self._largest]
                self._items = self._items[len(batch) :]
                await self._handle(batch)
        finally:
            self._task = None
