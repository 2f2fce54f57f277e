"""Takes calls out of gRPC's core as fast as they arrive.

grpc.aio takes one call at a time. Each takes some five turns of the event loop, so under load calls wait in the core.
There no limit sees them, a stopping server cancels them, and what is too much gets CANCELLED, which callers do not
retry. Here several tasks take the calls of each method. That costs less for each call, too.

This needs parts of grpc.aio that are not public. If the installed grpcio does not have them as expected, grpc.aio takes
the calls alone.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc
import structlog
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # published without types

# Calls of one method that can be taken in the same turn of the event loop, more or less.
TASKS_PER_METHOD = 64
# A process ends, even if gRPC's core does not end the waits of these tasks. It does so within milliseconds.
_END_SECONDS = 2.0

_TAKE = ("method_name", "method_resolver", "interceptors", "rpc_state", "loop", "concurrency_exceeded")
_WATCH = ("rpc_coro", "rpc_state", "loop", "method_name")

_Handler = Any  # grpc.RpcMethodHandler: its published types have synchronous methods only

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
            and _arguments("_handle_rpc") == _TAKE
            and _arguments("_schedule_rpc_coro") == _WATCH
        )
        if not self._is_usable:
            _log.warning("calls_are_taken_one_by_one", problem="this grpcio is not known", grpcio=grpc.__version__)

    def add(self, method: str, handler: _Handler) -> None:
        """Starts the tasks of a method, such as "/package.Service/Method". They end when the server stops."""
        if self._is_usable:
            for _ in range(TASKS_PER_METHOD):
                taker = self._start(self._take_calls(method, _OneHandler(handler)))
                self._takers.add(taker)
                taker.add_done_callback(self._takers.discard)

    async def ended(self) -> None:
        """Returns when no task waits for a call any more, after the server has stopped.

        gRPC's core ends each wait by an event. The event loop must not close before: the core would write into memory
        that is free.
        """
        if self._takers:
            await asyncio.wait(set(self._takers), timeout=_END_SECONDS)

    async def _take_calls(self, method: str, resolver: "_OneHandler") -> None:
        loop = asyncio.get_running_loop()
        while self._core.is_running():  # the core of a stopped server is gone
            try:
                call = await self._core._request_registered_call(method.encode())  # noqa: SLF001
            except cygrpc._RequestCallError:  # noqa: SLF001  the server stops
                return
            running = cygrpc._handle_rpc(method, resolver, (), call, loop, False)  # noqa: SLF001, FBT003
            self._start(cygrpc._schedule_rpc_coro(running, call, loop, method))  # noqa: SLF001

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)  # the loop itself has a weak reference only
        task.add_done_callback(self._tasks.discard)
        return task


class _OneHandler:
    """What grpc.aio asks for the handler of a call."""

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler

    def resolve_handler(self, _: grpc.HandlerCallDetails) -> _Handler:
        return self._handler


def _arguments(name: str) -> tuple[str, ...]:
    code = getattr(getattr(cygrpc, name, None), "__code__", None)
    return () if code is None else tuple(code.co_varnames[: code.co_argcount])
