"""Takes calls out of gRPC's core as fast as they arrive.

grpc.aio takes one call at a time. Each takes some five turns of the event loop, so under load calls wait in the core.
There no limit sees them, a stopping server cancels them, and what is too much gets CANCELLED, which callers do not
retry. Here several tasks take the calls of each method. That costs less for each call, too.

A call that the door of its method refuses is answered here, with a status that was made before. In a handler, a refusal
costs more than three times as much.

This needs parts of grpc.aio that are not public. If the installed grpcio does not have them as expected, grpc.aio takes
the calls alone.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import grpc
import structlog
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # published without types

from recsvc.service import core_calls
from recsvc.service.core_calls import Handler, Resolver
from recsvc.service.door import Door

# Calls of one method that can be taken in the same turn of the event loop, more or less.
TASKS_PER_METHOD = 64
# A process ends, even if gRPC's core does not end the waits of these tasks. It does so within milliseconds.
_END_SECONDS = 2.0

_SEND = ("grpc_call_wrapper", "operations", "loop")

_log = structlog.get_logger(__name__)


class Acceptors:
    """The tasks that take the calls of one server.

    Args:
        server: Not started yet, or running.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._core: Any = getattr(server, "_server", None)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._takers: set[asyncio.Task[Any]] = set()
        self._is_usable = (
            hasattr(self._core, "_request_registered_call")
            and hasattr(self._core, "is_running")
            and core_calls.can_answer()
            and core_calls.arguments("execute_batch") == _SEND
            and hasattr(cygrpc, "SendInitialMetadataOperation")
            and hasattr(cygrpc, "SendStatusFromServerOperation")
        )
        if not self._is_usable:
            _log.warning("calls_are_taken_one_by_one", problem="this grpcio is not known", grpcio=grpc.__version__)

    def add(self, method: str, handler: Handler, door: Door) -> None:
        """Starts the tasks of a method. They end when the server stops.

        Args:
            method: Such as "/package.Service/Method".
            handler: Of the calls that are let in.
            door: Refuses the others.
        """
        if self._is_usable:
            for _ in range(TASKS_PER_METHOD):
                taker = self._start(self._take_calls(method, Resolver(handler), door))
                self._takers.add(taker)
                taker.add_done_callback(self._takers.discard)

    async def ended(self) -> None:
        """Returns when no task waits for a call any more, after the server has stopped.

        gRPC's core ends each wait by an event. The event loop must not close before: the core would write into memory
        that is free.
        """
        if self._takers:
            await asyncio.wait(set(self._takers), timeout=_END_SECONDS)

    async def _take_calls(self, method: str, resolver: Resolver, door: Door) -> None:
        loop = asyncio.get_running_loop()
        while self._core.is_running():  # the core of a stopped server is gone
            try:
                call = await self._core._request_registered_call(method.encode())  # noqa: SLF001
            except cygrpc._RequestCallError:  # noqa: SLF001  the server stops
                return
            refusal = door.enter()
            if refusal is not None:
                await _refuse(call, refusal, loop)
                continue
            self._start(core_calls.answer(call, method, resolver, loop)).add_done_callback(door.leave)
            del call  # this task waits for the next one, and would keep the memory of this one until then

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)  # the loop itself has a weak reference only
        task.add_done_callback(self._tasks.discard)
        return task


async def _refuse(call: Any, answer: grpc.Status, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ANN401 - untyped
    operations = (
        cygrpc.SendInitialMetadataOperation((), 0),
        cygrpc.SendStatusFromServerOperation(answer.trailing_metadata, answer.code.value[0], answer.details, 0),
    )
    with suppress(cygrpc.InternalError):  # the caller has left
        await cygrpc.execute_batch(call, operations, loop)
