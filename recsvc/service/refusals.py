"""Ends calls with a status: counts them, and writes a few of them into the log."""

import secrets
import time
from typing import NoReturn, TypeAlias

import grpc
import structlog

from recsvc.access.gate import AccessGate, AdmittedCall
from recsvc.errors import AccessRefused, DeadlinePassed, FieldViolation, InvalidRequest, TooBusy
from recsvc.runtime.logs import LineLimit
from recsvc.runtime.metrics import REFUSALS, REQUESTS
from recsvc.service import status

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"

# Codes of which the operator should know; the others are for the caller.
_OPERATORS_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
# Callers that send many calls must not fill the disk. The metrics count all of them.
_LINES = LineLimit(lines=5, seconds=10)

# The reasons of refusals by errors. The gate counts its own.
_REASONS: dict[type[Exception], str] = {DeadlinePassed: "deadline", TooBusy: "limit"}

_log = structlog.get_logger(__name__)


async def admit(gate: AccessGate, method: str, context: Context) -> AdmittedCall:
    """Checks the caller, before the request is decoded and before anything is looked up."""
    try:
        return gate.admit(method, context.invocation_metadata() or ())
    except Exception as error:  # noqa: BLE001 - as for every error of a call
        await fail(method, error, context)


async def fail(method: str, error: Exception, context: Context) -> NoReturn:
    """Ends a call with the status of an error."""
    reason = _REASONS.get(type(error))
    if reason is not None:
        REFUSALS.labels(method, reason).inc()
    answer = status.status_of(error)
    if answer is None:
        error_id = secrets.token_hex(8)
        # The traceback stays in the log. The caller gets an id to ask about.
        _log.error("call_failed", method=method, code="INTERNAL", error_id=error_id, exc_info=error)
        await _abort(method, status.internal(error_id), context)
    log_refusal(method, answer, error.caller_id if isinstance(error, AccessRefused) else "")
    await _abort(method, answer, context)


def not_a_message() -> InvalidRequest:
    """Returns the error of bytes that cannot be decoded."""
    return InvalidRequest([FieldViolation("", "the bytes are not a request message of this method")])


def log_refusal(method: str, answer: grpc.Status, caller: str = "") -> None:
    """Writes a line about a refused call, if there were not many like it.

    Args:
        method: Such as "/package.Service/Method".
        answer: The status that the call gets.
        caller: Id of the key or token; "" if it is not known.
    """
    code = answer.code.name
    left_out = _LINES.left_out((method, code), time.monotonic())
    if left_out is not None:
        log = _log.warning if answer.code in _OPERATORS_CODES else _log.info
        of_caller = {"caller": caller} if caller else {}
        log("call_refused", method=method, code=code, problem=answer.details, **of_caller, **left_out)


async def _abort(method: str, answer: grpc.Status, context: Context) -> NoReturn:
    REQUESTS.labels(method, answer.code.name).inc()
    await context.abort(answer.code, answer.details, answer.trailing_metadata)
