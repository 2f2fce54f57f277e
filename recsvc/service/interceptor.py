"""Wraps every call: checks its caller, limits how many run at once, counts them, and turns errors into statuses."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc

from recsvc.access.gate import AccessGate
from recsvc.runtime.tracing import call_span
from recsvc.service.acceptors import Acceptors
from recsvc.service.admission import Admission
from recsvc.service.core_calls import Handler
from recsvc.service.door import Door
from recsvc.service.open_methods import guarded
from recsvc.service.refusals import Context
from recsvc.service.running_call import CallSurroundings
from recsvc.service.turnstile import Turnstile

_OUR_METHODS = "/recsvc."  # health and reflection also answer in an overloaded service, and are not counted
# No new call for this long means that every call which was sent has been taken.
_QUIET_SECONDS = 0.03


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps each method of recsvc once, at its first call. Adds some 10 microseconds to a call.

    Args:
        limit: Most lists at the same time; see `Admission`. A further one gets RESOURCE_EXHAUSTED before it is decoded.
            Streams have a second limit of the same size: they mostly wait, and must not keep lists from being made.
        gate: Admits calls by their key or token. None: anybody may call.
    """

    def __init__(self, limit: int, gate: AccessGate | None = None) -> None:
        self._gate = gate
        self._wrapped: dict[str, Handler] = {}
        self._turnstile = Turnstile()
        clock = asyncio.get_running_loop().time
        self._calls = Admission(limit, self._turnstile, clock)
        self._streams = Admission(limit, self._turnstile, clock)
        self._acceptors: Acceptors | None = None
        self._release: asyncio.Event | None = None  # answers wait for it, while they are held

    def take_calls_of(self, server: grpc.aio.Server) -> None:
        """Takes the calls of the server that has this interceptor. Each method begins with its first call."""
        self._acceptors = Acceptors(server)

    async def ended(self) -> None:
        """Returns when no call of the stopped server is waited for any more."""
        if self._acceptors is not None:
            await self._acceptors.ended()

    async def hold_answers(self, longest_seconds: float) -> None:
        """Holds all answers from now on, and returns once every call that was sent is taken.

        A caller that works through its calls sends the next when it gets an answer. So nothing is on its way when the
        server then tells callers that it stops. Does nothing if no call runs.

        Args:
            longest_seconds: To wait. Callers that send new calls without an answer are never quiet.
        """
        if not self._calls.in_flight:
            return
        self._release = asyncio.Event()
        end = time.monotonic() + longest_seconds
        before, taken = -1, 0
        while before != taken and time.monotonic() < end:
            before = taken
            await asyncio.sleep(_QUIET_SECONDS)
            taken = self._calls.taken + self._streams.taken

    def release_answers(self) -> None:
        """Sends the answers that were held."""
        if self._release is not None:
            self._release.set()
            self._release = None

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        method = handler_call_details.method
        handler = self._wrapped.get(method)
        if handler is None:
            handler = await continuation(handler_call_details)
            if handler is None or not method.startswith(_OUR_METHODS):
                return handler and guarded(method, handler, self._gate)
            if method not in self._wrapped:
                door = Door(method, self._calls if handler.unary_stream is None else self._streams)
                wrapped = self._wrap(method, handler, door)
                self._wrapped[method] = _behind(door, wrapped)
                if self._acceptors is not None:
                    self._acceptors.add(method, wrapped, door)
            handler = self._wrapped[method]  # of two first calls, too: the handler itself checks no key
        return handler

    def _wrap(self, method: str, handler: Handler, door: Door) -> Handler:
        # gRPC passes the bytes on as they are: if it failed to decode them, it would answer with the exception's text.
        decode, encode = handler.request_deserializer, handler.response_serializer
        surroundings = CallSurroundings(method, door.priority, self._gate, self._turnstile)

        async def call(raw: bytes, context: Context) -> bytes:
            with call_span(method, context):
                async with surroundings.of_call(context):
                    response: bytes = encode(await handler.unary_unary(decode(raw), context))
            if self._release is not None:
                await self._release.wait()
            return response

        async def stream(raw: bytes, context: Context) -> AsyncIterator[bytes]:
            with call_span(method, context):
                async with surroundings.of_call(context):
                    async for response in handler.unary_stream(decode(raw), context):
                        yield encode(response)

        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(call)


def _behind(door: Door, handler: Handler) -> Handler:
    """Wraps a handler for calls that no acceptor has taken: the first of a method, or all with an unknown grpcio."""

    async def call(raw: bytes, context: Context) -> bytes:
        async with _let_in(door, context):
            response: bytes = await handler.unary_unary(raw, context)
            return response

    async def stream(raw: bytes, context: Context) -> AsyncIterator[bytes]:
        async with _let_in(door, context):
            async for response in handler.unary_stream(raw, context):
                yield response

    if handler.unary_stream is not None:
        return grpc.unary_stream_rpc_method_handler(stream)
    return grpc.unary_unary_rpc_method_handler(call)


@asynccontextmanager
async def _let_in(door: Door, context: Context) -> AsyncIterator[None]:
    refusal = door.enter()
    if refusal is not None:
        await context.abort(refusal.code, refusal.details, refusal.trailing_metadata)
    try:
        yield
    finally:
        door.leave()
