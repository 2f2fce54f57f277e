"""Wraps every call: checks its caller, limits how many run at once, counts them, and turns errors into statuses."""

import asyncio
import math
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
from google.protobuf.message import DecodeError

from recsvc.access.gate import AccessGate
from recsvc.runtime.deadline import CALL_TIME, CallTime, TimeToAnswer
from recsvc.runtime.metrics import QUEUE_SECONDS, REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT
from recsvc.runtime.tracing import call_span
from recsvc.service.acceptors import Acceptors
from recsvc.service.admission import Admission
from recsvc.service.core_calls import Handler
from recsvc.service.door import Door
from recsvc.service.open_methods import guarded
from recsvc.service.priority import Priority
from recsvc.service.refusals import Context, admit, fail, not_a_message
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
        to_answer = TimeToAnswer()

        async def call(raw: bytes, context: Context) -> bytes:
            with call_span(method, context):
                async with self._surround(method, door, context, to_answer):
                    response: bytes = encode(await handler.unary_unary(decode(raw), context))
            if self._release is not None:
                await self._release.wait()
            return response

        async def stream(raw: bytes, context: Context) -> AsyncIterator[bytes]:
            with call_span(method, context):
                async with self._surround(method, door, context, to_answer):
                    async for response in handler.unary_stream(decode(raw), context):
                        yield encode(response)

        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(call)

    @asynccontextmanager
    async def _surround(
        self, method: str, door: Door, context: Context, to_answer: TimeToAnswer
    ) -> AsyncIterator[None]:
        admission = None if self._gate is None else await admit(self._gate, method, context)
        outcome = ""  # that of an aborted call is in its context
        REQUESTS_IN_FLIGHT.inc()
        start = time.perf_counter()
        clock = asyncio.get_running_loop().time
        remaining = context.time_remaining()
        began = clock()
        call_time = CallTime(math.inf if remaining is None else began + remaining, to_answer)
        is_urgent = door.priority <= Priority.WRITE
        CALL_TIME.set(call_time)
        try:
            call_time.check(0.0 if is_urgent else self._turnstile.expected_seconds)
            await self._turnstile.enter(is_urgent=is_urgent)
            QUEUE_SECONDS.observe(clock() - began)
            call_time.check()
            yield
            outcome = grpc.StatusCode.OK.name
        except grpc.aio.AbortError:
            REQUESTS.labels(method, context.code().name).inc()
            raise
        except (CancelledError, GeneratorExit):  # the caller left, or its deadline passed
            outcome = grpc.StatusCode.CANCELLED.name
            REQUESTS.labels(method, outcome).inc()
            raise
        except DecodeError:
            await fail(method, not_a_message(), context)
        except Exception as error:  # noqa: BLE001 - the caller gets a status for every error
            await fail(method, error, context)
        finally:
            REQUESTS_IN_FLIGHT.dec()
            REQUEST_SECONDS.labels(method).observe(time.perf_counter() - start)
            call_time.close(clock())
            if admission is not None:
                admission.end(outcome or context.code().name)
        REQUESTS.labels(method, outcome).inc()


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
