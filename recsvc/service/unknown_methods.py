"""Answers calls of methods that the server does not have.

grpc.aio decodes the name of such a method in its main loop. A name that is not UTF-8 ends that loop (grpcio 1.85): one
call of anybody, and the process refuses all connections from then on, though it runs. Here a task of its own answers
these calls, and reads no name.

This needs parts of grpc.aio that are not public. If the installed grpcio does not have them as expected, grpc.aio
answers alone.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import structlog
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # published without types

from recsvc.service import core_calls

_NEEDED = ("_make_request_call_future", "_request_call")

_NOTHING = core_calls.Resolver(None)

_log = structlog.get_logger(__name__)


def make_server(
    interceptors: Sequence[grpc.aio.ServerInterceptor], options: Sequence[tuple[str, Any]]
) -> grpc.aio.Server:
    """As `grpc.aio.server`, but a call of an unknown method cannot end the server. It gets UNIMPLEMENTED."""
    if not core_calls.can_answer() or not all(hasattr(cygrpc.AioServer, name) for name in _NEEDED):
        _log.warning("unknown_methods_reach_grpc", problem="this grpcio is not known", grpcio=grpc.__version__)
        return grpc.aio.server(interceptors=interceptors, options=options)
    original = cygrpc.AioServer
    cygrpc.AioServer = _Core  # grpc.aio.server makes one, and takes no other
    try:
        return grpc.aio.server(interceptors=interceptors, options=options)
    finally:
        cygrpc.AioServer = original


class _Core(cygrpc.AioServer):  # type: ignore[misc]  # published without types
    """grpc.aio's server, whose main loop waits for the calls of known methods only."""

    def _make_request_call_future(self, method: bytes | None) -> "asyncio.Task[Any]":
        """A task that ends with the next call of a method. For None, one that ends with the server."""
        if method is not None:
            task: asyncio.Task[Any] = super()._make_request_call_future(method)
            return task
        return asyncio.get_running_loop().create_task(self._refuse_unknown_methods())

    async def _refuse_unknown_methods(self) -> None:
        loop = asyncio.get_running_loop()
        refusals: set[asyncio.Task[None]] = set()
        while True:
            call = await self._request_call()
            task = loop.create_task(core_calls.answer(call, "", _NOTHING, loop))
            refusals.add(task)  # the loop itself has a weak reference only
            task.add_done_callback(refusals.discard)
