"""Answers a call that was taken out of gRPC's core, by parts of grpc.aio that are not public."""

from collections.abc import Coroutine
from typing import Any

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # published without types

_HANDLE = ("method_name", "method_resolver", "interceptors", "rpc_state", "loop", "concurrency_exceeded")
_SCHEDULE = ("rpc_coro", "rpc_state", "loop", "method_name")

Handler = Any  # grpc.RpcMethodHandler: its published types have synchronous methods only


class Resolver:
    """What grpc.aio asks for the handler of a call.

    Args:
        handler: Of the calls. None: they get UNIMPLEMENTED.
    """

    def __init__(self, handler: Handler | None) -> None:
        self._handler = handler

    def resolve_handler(self, _: grpc.HandlerCallDetails) -> Handler | None:
        """Returns the handler."""
        return self._handler


def can_answer() -> bool:
    """Returns whether the installed grpcio has the parts that `answer` uses, as expected."""
    return arguments("_handle_rpc") == _HANDLE and arguments("_schedule_rpc_coro") == _SCHEDULE


def answer(call: Any, method: str, resolver: Resolver, loop: Any) -> Coroutine[Any, Any, None]:  # noqa: ANN401 - untyped
    """Answers one call as grpc.aio does, without interceptors.

    Args:
        call: From gRPC's core.
        method: Its name, such as "/package.Service/Method".
        resolver: Has the handler.
        loop: The event loop.
    """
    running = cygrpc._handle_rpc(method, resolver, (), call, loop, False)  # noqa: SLF001, FBT003
    answering: Coroutine[Any, Any, None] = cygrpc._schedule_rpc_coro(running, call, loop, method)  # noqa: SLF001
    return answering


def arguments(name: str) -> tuple[str, ...]:
    """Returns the names of the arguments of a function of grpc.aio; none if there is no such function."""
    code = getattr(getattr(cygrpc, name, None), "__code__", None)
    return () if code is None else tuple(code.co_varnames[: code.co_argcount])
