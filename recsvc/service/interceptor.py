"""What surrounds every call: the limit on how many run at once, the counts, the status of an error, its log line."""

import secrets
import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError

from recsvc.errors import FieldViolation, InvalidRequest
from recsvc.metrics import REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT
from recsvc.service import status

_OURS = "/recsvc."  # health and reflection answer even an overloaded service, and are not counted

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_Handler: TypeAlias = Any  # grpc.RpcMethodHandler: its published types know synchronous methods only

_log = structlog.get_logger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps each method of recsvc once, at its first call; costs a call some 10 us.

    limit: calls worked on at once; one more is answered RESOURCE_EXHAUSTED before it is even decoded.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_flight = 0
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
            if handler is not None and handler.unary_unary is not None and method.startswith(_OURS):
                handler = self._wrapped[method] = self._wrap(method, handler)
        return handler

    def _wrap(self, method: str, handler: _Handler) -> _Handler:
        # The wire's bytes pass through grpc as they are: what it fails to decode it answers with the exception's text.
        decode, answer, encode = handler.request_deserializer, handler.unary_unary, handler.response_serializer
        answered = REQUESTS.labels(method, grpc.StatusCode.OK.name)
        seconds = REQUEST_SECONDS.labels(method)

        async def call(raw: bytes, context: _Context) -> bytes:
            if self._in_flight >= self._limit:
                await _abort(method, status.overloaded(self._limit), context)
            self._in_flight += 1
            REQUESTS_IN_FLIGHT.inc()
            start = time.perf_counter()
            try:
                response: bytes = encode(await answer(decode(raw), context))
            except grpc.aio.AbortError:
                REQUESTS.labels(method, context.code().name).inc()
                raise
            except CancelledError:  # the caller hung up or its deadline passed: no failure of ours
                REQUESTS.labels(method, grpc.StatusCode.CANCELLED.name).inc()
                raise
            except DecodeError:
                error = InvalidRequest([FieldViolation("", "the request is not the message that this method takes")])
                await _fail(method, error, context)
            except Exception as error:
                await _fail(method, error, context)
            finally:
                self._in_flight -= 1
                REQUESTS_IN_FLIGHT.dec()
                seconds.observe(time.perf_counter() - start)
            answered.inc()
            return response

        return grpc.unary_unary_rpc_method_handler(call)


async def _fail(method: str, error: Exception, context: _Context) -> NoReturn:
    answer = status.status_of(error)
    if answer is None:
        error_id = secrets.token_hex(8)
        # The traceback stays here; the caller gets the id to ask about.
        _log.error("call_failed", method=method, code="INTERNAL", error_id=error_id, exc_info=error)
        await _abort(method, status.internal(error_id), context)
    code = answer.code.name
    log = _log.warning if answer.code is grpc.StatusCode.UNAVAILABLE else _log.info
    log("call_refused", method=method, code=code, problem=answer.details)
    await _abort(method, answer, context)


async def _abort(method: str, answer: grpc.Status, context: _Context) -> NoReturn:
    REQUESTS.labels(method, answer.code.name).inc()
    await context.abort(answer.code, answer.details, answer.trailing_metadata)
