"""Checks that many requests share: ids, texts and times, and the list of everything that is wrong with a request."""

import re

from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.errors import FieldViolation, InvalidRequest

MAX_ID_LENGTH = 128
MAX_BRAND = 256
MAX_CATEGORIES = 1_000  # characters of a whole category path
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_NAME = 64
MAX_ATTRIBUTE_VALUE = 256

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TIMESTAMP_SECONDS = range(-62_135_596_800, 253_402_300_800)  # years 1 to 9999, as timestamp.proto says
_TIMESTAMP_NANOS = range(1_000_000_000)


class Violations:
    """Collects everything that is wrong with one request."""

    def __init__(self) -> None:
        self._violations: list[FieldViolation] = []
        self._path = ""

    def within(self, path: str) -> "Violations":
        """Returns the same collection for an inner message. `path` comes before the names of its fields."""
        inner = Violations()
        inner._violations, inner._path = self._violations, self._path + path
        return inner

    def note(self, field: str, problem: str | None) -> None:
        """Adds a problem of a field. None: the field is right."""
        if problem is not None:
            self._violations.append(FieldViolation(self._path + field, problem))

    def raise_if_any(self) -> None:
        """Raises InvalidRequest with all problems, if there are any."""
        if self._violations:
            raise InvalidRequest(self._violations)


def id_problem(value: str, *, required: bool = True) -> str | None:
    """Describes what is wrong with an id; None if nothing is."""
    return text_problem(value, 1 if required else 0, MAX_ID_LENGTH)


def text_problem(value: str, min_length: int, max_length: int) -> str | None:
    """Describes what is wrong with a text; None if nothing is. Lengths are in characters."""
    if not min_length <= len(value) <= max_length:
        return f"must have {min_length} to {max_length} characters"
    if _CONTROL.search(value):
        return "must not hold control characters"
    return None


def microseconds(timestamp: Timestamp) -> int | None:
    """Converts a timestamp to microseconds since 1970, UTC. None if it is not valid."""
    if timestamp.seconds not in _TIMESTAMP_SECONDS or timestamp.nanos not in _TIMESTAMP_NANOS:
        return None
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000
