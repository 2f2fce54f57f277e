"""Surrounds the work of one call: admits it, lets it wait its turn, counts it, and turns its error into a status."""

import asyncio
import math
import time
from asyncio import CancelledError
from types import TracebackType

import grpc
from google.protobuf.message import DecodeError

from recsvc.access.gate import AccessGate, AdmittedCall
from recsvc.runtime.deadline import CALL_TIME, CallTime, TimeToAnswer
from recsvc.runtime.metrics import QUEUE_SECONDS, REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT
from recsvc.service.priority import Priority
from recsvc.service.refusals import Context, admit, fail, not_a_message
from recsvc.service.turnstile import Turnstile


class CallSurroundings:
    """What the calls of one method have in common.

    Args:
        method: Such as "/package.Service/Method".
        priority: Of the method.
        gate: Admits calls by their key or token. None: anybody may call.
        turnstile: Where calls wait.
    """

    def __init__(self, method: str, priority: Priority, gate: AccessGate | None, turnstile: Turnstile) -> None:
        self.method = method
        self.is_urgent = priority <= Priority.WRITE
        self.gate = gate
        self.turnstile = turnstile
        self.to_answer = TimeToAnswer()
        self.clock = asyncio.get_running_loop().time
        # To look up the series of a method at each call would cost more than to count.
        self.answered = REQUESTS.labels(method, grpc.StatusCode.OK.name)
        self.seconds = REQUEST_SECONDS.labels(method)

    def of_call(self, context: Context) -> "RunningCall":
        """Returns what surrounds one call. context: of the call."""
        return RunningCall(self, context)


class RunningCall:
    """Surrounds one call, as an asynchronous context manager. A generator would cost several times as much.

    Leaving it by an error ends the call with a status. Only an abort and a cancelled call leave it as they are.
    """

    __slots__ = ("_admission", "_call_time", "_context", "_method", "_start")

    def __init__(self, method: CallSurroundings, context: Context) -> None:
        self._method = method
        self._context = context
        self._admission: AdmittedCall | None = None

    async def __aenter__(self) -> None:
        method, context = self._method, self._context
        if method.gate is not None:
            self._admission = await admit(method.gate, method.method, context)
        REQUESTS_IN_FLIGHT.inc()
        self._start = time.perf_counter()
        remaining = context.time_remaining()
        began = method.clock()
        call_time = self._call_time = CallTime(math.inf if remaining is None else began + remaining, method.to_answer)
        CALL_TIME.set(call_time)
        try:
            call_time.check(0.0 if method.is_urgent else method.turnstile.expected_seconds)
            await method.turnstile.enter(is_urgent=method.is_urgent)
            QUEUE_SECONDS.observe(method.clock() - began)
            call_time.check()
        except BaseException as error:
            await self._end(error)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._end(error)

    async def _end(self, error: BaseException | None) -> None:
        """Counts the call, and ends it with a status if `error` is not one already."""
        method, outcome = self._method, ""  # that of an aborted call is in its context
        try:
            if error is None:
                outcome = grpc.StatusCode.OK.name
            elif isinstance(error, grpc.aio.AbortError):
                REQUESTS.labels(method.method, self._context.code().name).inc()
            elif isinstance(error, CancelledError | GeneratorExit):  # the caller left, or its deadline passed
                outcome = grpc.StatusCode.CANCELLED.name
                REQUESTS.labels(method.method, outcome).inc()
            elif isinstance(error, DecodeError):
                await fail(method.method, not_a_message(), self._context)
            elif isinstance(error, Exception):
                await fail(method.method, error, self._context)
        finally:
            REQUESTS_IN_FLIGHT.dec()
            method.seconds.observe(time.perf_counter() - self._start)
            self._call_time.close(method.clock())
            if self._admission is not None:
                self._admission.end(outcome or self._context.code().name)
        if error is None:
            method.answered.inc()
