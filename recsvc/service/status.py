"""Turns errors into gRPC statuses: the one table, and the google.rpc details of each status."""

import math
from functools import cache
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from recsvc.errors import (
    BundleNotFound,
    BundleUnusable,
    DeadlinePassed,
    InvalidRequest,
    ItemNotFound,
    ListNotFound,
    NothingToSay,
    PermissionDenied,
    RateLimited,
    RecsvcError,
    StoreUnavailable,
    TextEncoderFailing,
    TextTurnedOff,
    TooBusy,
    TooManySwitches,
    Unauthenticated,
)

DOMAIN = "recsvc"

# Errors that a caller can act on. Any other error in a call, other RecsvcErrors included, is INTERNAL.
_TABLE: dict[type[RecsvcError], tuple[int, str]] = {
    InvalidRequest: (code_pb2.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ItemNotFound: (code_pb2.NOT_FOUND, "ITEM_NOT_FOUND"),
    NothingToSay: (code_pb2.FAILED_PRECONDITION, "NOTHING_TO_SAY"),
    ListNotFound: (code_pb2.NOT_FOUND, "LIST_NOT_FOUND"),
    BundleNotFound: (code_pb2.NOT_FOUND, "BUNDLE_NOT_FOUND"),
    BundleUnusable: (code_pb2.FAILED_PRECONDITION, "BUNDLE_UNUSABLE"),
    TextTurnedOff: (code_pb2.FAILED_PRECONDITION, "TEXT_TURNED_OFF"),
    TooManySwitches: (code_pb2.FAILED_PRECONDITION, "TOO_MANY_SWITCHES"),
    StoreUnavailable: (code_pb2.UNAVAILABLE, "STORE_UNAVAILABLE"),
    TextEncoderFailing: (code_pb2.UNAVAILABLE, "TEXT_ENCODER_FAILING"),
    DeadlinePassed: (code_pb2.DEADLINE_EXCEEDED, "DEADLINE_PASSED"),
    TooBusy: (code_pb2.RESOURCE_EXHAUSTED, "TOO_BUSY"),
    Unauthenticated: (code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED"),
    PermissionDenied: (code_pb2.PERMISSION_DENIED, "PERMISSION_DENIED"),
    RateLimited: (code_pb2.RESOURCE_EXHAUSTED, "RATE_LIMITED"),
}

# Codes that callers may send again, and the time that they should wait first.
_RETRIED = frozenset({code_pb2.UNAVAILABLE, code_pb2.RESOURCE_EXHAUSTED})
_RETRY_MILLISECONDS = 500
_OVERLOADED = {
    "limit": "as many calls are running as may run; try again later",
    "queue": "too many calls are waiting; try again later",
}
_PUSHBACK = "grpc-retry-pushback-ms"

# Details travel in a header, and clients refuse more than 8 KiB of headers. A batch can have 9,000 violations.
MAX_VIOLATIONS = 32


def status_of(error: Exception) -> grpc.Status | None:
    """Returns the status of an error; None for one that the caller must not see."""
    row = next((_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE), None)
    if row is None:
        return None
    code, reason = row
    if isinstance(error, DeadlinePassed):
        return _deadline_passed()  # under overload it is most of the answers
    if isinstance(error, InvalidRequest):
        return _status(code, reason, _summary(error), {}, _bad_request(error))
    if isinstance(error, RateLimited):
        return _status(code, reason, str(error), {}, _retry_info(math.ceil(1_000 * error.retry_after_seconds)))
    metadata = {"item_id": error.item_id} if isinstance(error, ItemNotFound | NothingToSay) else {}
    details = (_retry_info(_RETRY_MILLISECONDS),) if code in _RETRIED else ()
    return _status(code, reason, str(error), metadata, *details)


def internal(error_id: str) -> grpc.Status:
    """Returns the status of an unexpected error. Its text is fixed: an exception may hold keys or user data."""
    return _status(
        code_pb2.INTERNAL,
        "INTERNAL",
        f"internal error; the server's log has the details under {error_id}",
        {"error_id": error_id},
    )


@cache
def _deadline_passed() -> grpc.Status:
    return _status(code_pb2.DEADLINE_EXCEEDED, "DEADLINE_PASSED", str(DeadlinePassed()), {})


@cache
def overloaded(reason: str, retry_milliseconds: int) -> grpc.Status:
    """Returns the status of a call that is refused because there are too many.

    Args:
        reason: "limit" or "queue".
        retry_milliseconds: After which the caller may try again. It goes into RetryInfo, and into the header that
            gRPC's own clients follow when they have a retry policy.
    """
    message = _OVERLOADED[reason]
    answer: Any = _status(code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED", message, {}, _retry_info(retry_milliseconds))
    pushed: grpc.Status = answer._replace(
        trailing_metadata=(*answer.trailing_metadata, (_PUSHBACK, str(retry_milliseconds)))
    )
    return pushed


def _retry_info(milliseconds: int) -> error_details_pb2.RetryInfo:
    details = error_details_pb2.RetryInfo()
    details.retry_delay.FromMilliseconds(milliseconds)
    return details


def _status(code: int, reason: str, message: str, metadata: dict[str, str], *details: Message) -> grpc.Status:
    status = status_pb2.Status(code=code, message=message)
    for detail in (error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata), *details):
        status.details.add().Pack(detail)
    answer: grpc.Status = rpc_status.to_status(status)
    return answer


def _summary(error: InvalidRequest) -> str:
    first, *rest = error.violations
    others = f" (and {len(rest)} more)" if rest else ""
    return f"{first.field} {first.description}{others}"


def _bad_request(error: InvalidRequest) -> error_details_pb2.BadRequest:
    details = error_details_pb2.BadRequest()
    for violation in error.violations[:MAX_VIOLATIONS]:
        details.field_violations.add(field=violation.field, description=violation.description)
    return details
