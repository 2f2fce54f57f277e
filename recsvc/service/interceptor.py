"""Wraps every call: checks its caller, limits how many run at once, counts them, and turns errors into statuses."""

import asyncio
import math
import secrets
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError

from recsvc.access.gate import AccessGate, AdmittedCall
from recsvc.errors import AccessRefused, DeadlinePassed, FieldViolation, InvalidRequest, TooBusy
from recsvc.runtime.deadline import CALL_TIME, CallTime, TimeToAnswer
from recsvc.runtime.logs import LineLimit
from recsvc.runtime.metrics import QUEUE_SECONDS, REFUSALS, REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT
from recsvc.runtime.tracing import call_span
from recsvc.service import status
from recsvc.service.acceptors import Acceptors
from recsvc.service.admission import Admission
from recsvc.service.door import Door
from recsvc.service.priority import Priority
from recsvc.service.turnstile import Turnstile

_OUR_METHODS = "/recsvc."  # health and reflection also answer in an overloaded service, and are not counted
_OPEN_METHODS = "/grpc.health.v1.Health/"  # probes have no key
# No new call for this long means that every call which was sent has been taken.
_QUIET_SECONDS = 0.03

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_Handler: TypeAlias = Any  # grpc.RpcMethodHandler: its published types have synchronous methods only

# Codes of which the operator should know; the others are for the caller.
_OPERATORS_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
# Callers that send many wrong calls must not fill the disk. The metrics count all of them.
_REFUSALS = LineLimit(lines=5, seconds=10)

# The reasons of refusals by errors. The gate counts its own.
_REASONS: dict[type[Exception], str] = {DeadlinePassed: "deadline", TooBusy: "limit"}

_NO_MESSAGE = FieldViolation("", "the bytes are not a request message of this method")

_log = structlog.get_logger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps each method of recsvc once, at its first call. Adds some 10 microseconds to a call.

    Args:
        limit: Most lists at the same time; see `Admission`. A further one gets RESOURCE_EXHAUSTED before it is decoded.
            Streams have a second limit of the same size: they mostly wait, and must not keep lists from being made.
        gate: Admits calls by their key or token. None: anybody may call.
    """

    def __init__(self, limit: int, gate: AccessGate | None = None) -> None:
        self._gate = gate
        self._wrapped: dict[str, _Handler] = {}
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
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        method = handler_call_details.method
        handler = self._wrapped.get(method)
        if handler is None:
            handler = await continuation(handler_call_details)
            if handler is None or not method.startswith(_OUR_METHODS):
                return handler and self._guard(method, handler)
            if method not in self._wrapped:
                door = Door(method, self._calls if handler.unary_stream is None else self._streams)
                wrapped = self._wrap(method, handler, door)
                self._wrapped[method] = _behind(door, wrapped)
                if self._acceptors is not None:
                    self._acceptors.add(method, wrapped, door)
            handler = self._wrapped[method]  # of two first calls, too: the handler itself checks no key
        return handler

    def _wrap(self, method: str, handler: _Handler, door: Door) -> _Handler:
        # gRPC passes the bytes on as they are: if it failed to decode them, it would answer with the exception's text.
        decode, encode = handler.request_deserializer, handler.response_serializer
        to_answer = TimeToAnswer()
        surround = self._surround if self._gate is None else self._surround_admitted

        async def call(raw: bytes, context: _Context) -> bytes:
            with call_span(method, context):
                async with surround(method, door, context, to_answer):
                    response: bytes = encode(await handler.unary_unary(decode(raw), context))
            if self._release is not None:
                await self._release.wait()
            return response

        async def stream(raw: bytes, context: _Context) -> AsyncIterator[bytes]:
            with call_span(method, context):
                async with surround(method, door, context, to_answer):
                    async for response in handler.unary_stream(decode(raw), context):
                        yield encode(response)

        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(call)

    def _guard(self, method: str, handler: _Handler) -> _Handler | None:
        """Wraps health, and reflection, which needs a key. A further method of another shape is not offered at all."""
        decode, encode, gate = handler.request_deserializer, handler.response_serializer, self._gate

        async def call(raw: bytes, context: _Context) -> Any:  # noqa: ANN401 - its messages have no common type
            return await (handler.unary_unary or handler.unary_stream)(
                await _decoded(method, decode, raw, context), context
            )

        async def stream(raws: AsyncIterator[bytes], context: _Context) -> AsyncIterator[Any]:
            admission = None if gate is None else await _admit(gate, method, context)
            try:
                requests = (await _decoded(method, decode, raw, context) async for raw in raws)
                async for response in handler.stream_stream(requests, context):
                    yield response
            finally:
                if admission is not None:
                    admission.end(grpc.StatusCode.OK.name)

        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(stream, None, encode)
        is_stream = handler.unary_stream is not None
        make = grpc.unary_stream_rpc_method_handler if is_stream else grpc.unary_unary_rpc_method_handler
        return make(call, None, encode) if method.startswith(_OPEN_METHODS) else None

    @asynccontextmanager
    async def _surround_admitted(
        self, method: str, door: Door, context: _Context, to_answer: TimeToAnswer
    ) -> AsyncIterator[None]:
        assert self._gate is not None  # noqa: S101 - for the type checker: `_wrap` looks
        admission = await _admit(self._gate, method, context)
        outcome = grpc.StatusCode.CANCELLED.name
        try:
            async with self._surround(method, door, context, to_answer):
                yield
            outcome = grpc.StatusCode.OK.name
        except grpc.aio.AbortError:
            outcome = context.code().name
            raise
        finally:
            admission.end(outcome)

    @asynccontextmanager
    async def _surround(
        self, method: str, door: Door, context: _Context, to_answer: TimeToAnswer
    ) -> AsyncIterator[None]:
        REQUESTS_IN_FLIGHT.inc()
        start = time.perf_counter()
        clock = asyncio.get_running_loop().time
        remaining = context.time_remaining()
        began = clock()
        call_time = CallTime(math.inf if remaining is None else began + remaining, to_answer)
        is_urgent = door.priority <= Priority.WRITE
        CALL_TIME.set(call_time)
        try:
            if is_urgent:
                call_time.check()
            else:
                call_time.check(self._turnstile.expected_seconds)
            await self._turnstile.enter(is_urgent=is_urgent)
            QUEUE_SECONDS.observe(clock() - began)
            call_time.check()
            yield
        except grpc.aio.AbortError:
            REQUESTS.labels(method, context.code().name).inc()
            raise
        except (CancelledError, GeneratorExit):  # the caller left, or its deadline passed
            REQUESTS.labels(method, grpc.StatusCode.CANCELLED.name).inc()
            raise
        except DecodeError:
            await _fail(method, InvalidRequest([_NO_MESSAGE]), context)
        except Exception as error:  # noqa: BLE001 - the caller gets a status for every error
            await _fail(method, error, context)
        finally:
            REQUESTS_IN_FLIGHT.dec()
            REQUEST_SECONDS.labels(method).observe(time.perf_counter() - start)
            call_time.close(clock())
        REQUESTS.labels(method, grpc.StatusCode.OK.name).inc()


async def _admit(gate: AccessGate, method: str, context: _Context) -> AdmittedCall:
    """Checks the caller, before the request is decoded and before anything is looked up."""
    try:
        return gate.admit(method, context.invocation_metadata() or ())
    except Exception as error:  # noqa: BLE001 - as for every error of a call
        await _fail(method, error, context)


async def _decoded(method: str, decode: Callable[[bytes], Any], raw: bytes, context: _Context) -> Any:  # noqa: ANN401
    """Decodes a request of health or reflection."""
    try:
        return decode(raw)
    except DecodeError:
        await _fail(method, InvalidRequest([_NO_MESSAGE]), context)


def _behind(door: Door, handler: _Handler) -> _Handler:
    """Wraps a handler for calls that no acceptor has taken: the first of a method, or all with an unknown grpcio."""

    async def call(raw: bytes, context: _Context) -> bytes:
        async with _let_in(door, context):
            response: bytes = await handler.unary_unary(raw, context)
            return response

    async def stream(raw: bytes, context: _Context) -> AsyncIterator[bytes]:
        async with _let_in(door, context):
            async for response in handler.unary_stream(raw, context):
                yield response

    if handler.unary_stream is not None:
        return grpc.unary_stream_rpc_method_handler(stream)
    return grpc.unary_unary_rpc_method_handler(call)


@asynccontextmanager
async def _let_in(door: Door, context: _Context) -> AsyncIterator[None]:
    refusal = door.enter()
    if refusal is not None:
        await context.abort(refusal.code, refusal.details, refusal.trailing_metadata)
    try:
        yield
    finally:
        door.leave()


async def _fail(method: str, error: Exception, context: _Context) -> NoReturn:
    reason = _REASONS.get(type(error))
    if reason is not None:
        REFUSALS.labels(method, reason).inc()
    answer = status.status_of(error)
    if answer is None:
        error_id = secrets.token_hex(8)
        # The traceback stays in the log. The caller gets an id to ask about.
        _log.error("call_failed", method=method, code="INTERNAL", error_id=error_id, exc_info=error)
        await _abort(method, status.internal(error_id), context)
    caller = {"caller": error.caller_id} if isinstance(error, AccessRefused) and error.caller_id else {}
    await _refuse(method, answer, context, caller)


async def _refuse(method: str, answer: grpc.Status, context: _Context, caller: Mapping[str, str]) -> NoReturn:
    code = answer.code.name
    left_out = _REFUSALS.left_out((method, code), time.monotonic())
    if left_out is not None:
        log = _log.warning if answer.code in _OPERATORS_CODES else _log.info
        log("call_refused", method=method, code=code, problem=answer.details, **caller, **left_out)
    await _abort(method, answer, context)


async def _abort(method: str, answer: grpc.Status, context: _Context) -> NoReturn:
    REQUESTS.labels(method, answer.code.name).inc()
    await context.abort(answer.code, answer.details, answer.trailing_metadata)
