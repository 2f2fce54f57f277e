"""Wraps every call: limits how many run at once, counts them, and turns errors into statuses and log lines."""

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
from recsvc.runtime.metrics import REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT
from recsvc.service import status

_OUR_METHODS = "/recsvc."  # health and reflection also answer in an overloaded service, and are not counted

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_Handler: TypeAlias = Any  # grpc.RpcMethodHandler: its published types have synchronous methods only

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

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        method = handler_call_details.method
        handler = self._wrapped.get(method)
        if handler is None:
            handler = await continuation(handler_call_details)
            if handler is not None and method.startswith(_OUR_METHODS):
                handler = self._wrapped[method] = self._wrap(method, handler)
        return handler

    def _wrap(self, method: str, handler: _Handler) -> _Handler:
        # gRPC passes the bytes on as they are: if it failed to decode them, it would answer with the exception's text.
        decode, encode = handler.request_deserializer, handler.response_serializer

        async def call(raw: bytes, context: _Context) -> bytes:
            async with self._surround(method, "call", context):
                response: bytes = encode(await handler.unary_unary(decode(raw), context))
            return response

        async def stream(raw: bytes, context: _Context) -> AsyncIterator[bytes]:
            async with self._surround(method, "stream", context):
                async for response in handler.unary_stream(decode(raw), context):
                    yield encode(response)

        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(call)

    @asynccontextmanager
    async def _surround(self, method: str, kind: str, context: _Context) -> AsyncIterator[None]:
        if self._in_flight[kind] >= self._limit:
            await _abort(method, status.overloaded(self._limit), context)
        self._in_flight[kind] += 1
        REQUESTS_IN_FLIGHT.inc()
        start = time.perf_counter()
        try:
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
        REQUESTS.labels(method, grpc.StatusCode.OK.name).inc()


async def _fail(method: str, error: Exception, context: _Context) -> NoReturn:
    answer = status.status_of(error)
    if answer is None:
        error_id = secrets.token_hex(8)
        # The traceback stays in the log. The caller gets an id to ask about.
        _log.error("call_failed", method=method, code="INTERNAL", error_id=error_id, exc_info=error)
        await _abort(method, status.internal(error_id), context)
    code = answer.code.name
    log = _log.warning if answer.code is grpc.StatusCode.UNAVAILABLE else _log.info
    log("call_refused", method=method, code=code, problem=answer.details)
    await _abort(method, answer, context)


async def _abort(method: str, answer: grpc.Status, context: _Context) -> NoReturn:
    REQUESTS.labels(method, answer.code.name).inc()
    await context.abort(answer.code, answer.details, answer.trailing_metadata)
