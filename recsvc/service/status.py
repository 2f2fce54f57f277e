"""Turns errors into gRPC statuses: the one table, and the google.rpc details of each status."""

from functools import cache

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
    RecsvcError,
    StoreUnavailable,
    TextEncoderFailing,
    TextTurnedOff,
    TooBusy,
    TooManySwitches,
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
}

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
    metadata = {"item_id": error.item_id} if isinstance(error, ItemNotFound | NothingToSay) else {}
    return _status(code, reason, str(error), metadata)


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
def overloaded(limit: int) -> grpc.Status:
    """Returns the status of a call that arrives while `limit` others are running."""
    return _status(
        code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED", f"{limit} calls are running, which is the limit; try again later", {}
    )


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
