"""What every request has: the list of what is wrong with it, ids and times."""

import re

from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.errors import FieldViolation, InvalidRequest

MAX_ID_LENGTH = 128
MAX_BRAND = 256
MAX_CATEGORIES = 1_000  # of a whole path
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_NAME = 64
MAX_ATTRIBUTE_VALUE = 256

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TIMESTAMP_SECONDS = range(-62_135_596_800, 253_402_300_800)  # years 1 to 9999, as timestamp.proto says


class Violations:
    """Gathers what is wrong with one request."""

    def __init__(self) -> None:
        self._found: list[FieldViolation] = []
        self._path = ""

    def within(self, path: str) -> "Violations":
        """The same list, for a message within this one: its fields are named after `path`."""
        inner = Violations()
        inner._found, inner._path = self._found, self._path + path
        return inner

    def note(self, field: str, problem: str | None) -> None:
        if problem is not None:
            self._found.append(FieldViolation(self._path + field, problem))

    def raise_if_any(self) -> None:
        if self._found:
            raise InvalidRequest(self._found)


def id_problem(value: str, *, required: bool = True) -> str | None:
    return text_problem(value, 1 if required else 0, MAX_ID_LENGTH)


def text_problem(value: str, least: int, most: int) -> str | None:
    if not least <= len(value) <= most:
        return f"must have {least} to {most} characters"
    if _CONTROL.search(value):
        return "must not hold control characters"
    return None


def microseconds(timestamp: Timestamp) -> int | None:
    """Since 1970, UTC. None: not a valid timestamp."""
    if timestamp.seconds not in _TIMESTAMP_SECONDS or not 0 <= timestamp.nanos < 1_000_000_000:
        return None
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000
