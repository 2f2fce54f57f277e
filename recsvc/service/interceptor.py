"""Wraps every call: limits how many run at once, counts them, and turns errors into statuses and log lines."""

import asyncio
import math
import secrets
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError

from recsvc.errors import FieldViolation, InvalidRequest
from recsvc.runtime.deadline import CALL_TIME, CallTime, TimeToAnswer
from recsvc.runtime.logs import LineLimit
from recsvc.runtime.metrics import REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT
from recsvc.runtime.tracing import call_span
from recsvc.service import status
from recsvc.service.acceptors import Acceptors
from recsvc.service.turnstile import Turnstile

_OUR_METHODS = "/recsvc."  # health and reflection also answer in an overloaded service, and are not counted
# No new call for this long means that every call which was sent has been taken.
_QUIET_SECONDS = 0.03

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_Handler: TypeAlias = Any  # grpc.RpcMethodHandler: its published types have synchronous methods only

# Codes of which the operator should know; the others are for the caller.
_OPERATORS_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
# Callers that send many wrong calls must not fill the disk. The metrics count all of them.
_REFUSALS = LineLimit(lines=5, seconds=10)

_log = structlog.get_logger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps each method of recsvc once, at its first call. Adds some 10 microseconds to a call.

    Args:
        limit: Most calls at the same time. A further one gets RESOURCE_EXHAUSTED before it is decoded. Streams have a
            second limit of the same size: they mostly wait, and must not keep lists from being made.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_flight = {"call": 0, "stream": 0}
        self._wrapped: dict[str, _Handler] = {}
        self._turnstile = Turnstile()
        self._acceptors: Acceptors | None = None
        self._taken = 0
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
        if not self._in_flight["call"]:
            return
        self._release = asyncio.Event()
        end = time.monotonic() + longest_seconds
        taken = -1
        while taken != self._taken and time.monotonic() < end:
            taken = self._taken
            await asyncio.sleep(_QUIET_SECONDS)

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
            if handler is not None and method.startswith(_OUR_METHODS) and method not in self._wrapped:
                handler = self._wrapped[method] = self._wrap(method, handler)
                if self._acceptors is not None:
                    self._acceptors.add(method, handler)
        return handler

    def _wrap(self, method: str, handler: _Handler) -> _Handler:
        # gRPC passes the bytes on as they are: if it failed to decode them, it would answer with the exception's text.
        decode, encode = handler.request_deserializer, handler.response_serializer
        to_answer = TimeToAnswer()

        async def call(raw: bytes, context: _Context) -> bytes:
            with call_span(method, context):
                async with self._surround(method, "call", context, to_answer):
                    response: bytes = encode(await handler.unary_unary(decode(raw), context))
            if self._release is not None:
                await self._release.wait()
            return response

        async def stream(raw: bytes, context: _Context) -> AsyncIterator[bytes]:
            with call_span(method, context):
                async with self._surround(method, "stream", context, to_answer):
                    async for response in handler.unary_stream(decode(raw), context):
                        yield encode(response)

        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(call)

    @asynccontextmanager
    async def _surround(
        self, method: str, kind: str, context: _Context, to_answer: TimeToAnswer
    ) -> AsyncIterator[None]:
        self._taken += 1
        if self._in_flight[kind] >= self._limit:
            await _refuse(method, status.overloaded(self._limit), context)
        self._in_flight[kind] += 1
        REQUESTS_IN_FLIGHT.inc()
        start = time.perf_counter()
        clock = asyncio.get_running_loop().time
        remaining = context.time_remaining()
        call_time = CallTime(math.inf if remaining is None else clock() + remaining, to_answer)
        CALL_TIME.set(call_time)
        try:
            call_time.check(self._turnstile.expected_seconds)
            await self._turnstile.enter()
            call_time.check()
            yield
        except grpc.aio.AbortError:
            REQUESTS.labels(method, context.code().name).inc()
            raise
        except (CancelledError, GeneratorExit):  # the caller left, or its deadline passed
            REQUESTS.labels(method, grpc.StatusCode.CANCELLED.name).inc()
            raise
        except DecodeError:
            error = InvalidRequest([FieldViolation("", "the bytes are not a request message of this method")])
            await _fail(method, error, context)
        except Exception as error:  # noqa: BLE001 - the caller gets a status for every error
            await _fail(method, error, context)
        finally:
            self._in_flight[kind] -= 1
            REQUESTS_IN_FLIGHT.dec()
            REQUEST_SECONDS.labels(method).observe(time.perf_counter() - start)
            call_time.close(clock())
        REQUESTS.labels(method, grpc.StatusCode.OK.name).inc()


async def _fail(method: str, error: Exception, context: _Context) -> NoReturn:
    answer = status.status_of(error)
    if answer is None:
        error_id = secrets.token_hex(8)
        # The traceback stays in the log. The caller gets an id to ask about.
        _log.error("call_failed", method=method, code="INTERNAL", error_id=error_id, exc_info=error)
        await _abort(method, status.internal(error_id), context)
    await _refuse(method, answer, context)


async def _refuse(method: str, answer: grpc.Status, context: _Context) -> NoReturn:
    code = answer.code.name
    left_out = _REFUSALS.left_out((method, code), time.monotonic())
    if left_out is not None:
        log = _log.warning if answer.code in _OPERATORS_CODES else _log.info
        log("call_refused", method=method, code=code, problem=answer.details, **left_out)
    await _abort(method, answer, context)


async def _abort(method: str, answer: grpc.Status, context: _Context) -> NoReturn:
    REQUESTS.labels(method, answer.code.name).inc()
    await context.abort(answer.code, answer.details, answer.trailing_metadata)
