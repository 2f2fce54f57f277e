"""Reads what a manifest says of how a bundle was made. A field that is missing, or of another type, is unknown.

The hash of a bundle covers none of these fields, and people edit manifests. One odd field must not keep a bundle, or
the list of all bundles, from being read.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LATEST_TIME = 253_402_300_799_999_999  # the end of the year 9999, in microseconds since 1970 UTC


def section(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Returns the fields of one section; none if there is no such section."""
    value = manifest.get(name)
    return value if isinstance(value, Mapping) else {}


def moment(value: object) -> datetime | None:
    """Returns a time that is written as ISO 8601, in UTC; None if it is not known. Without an offset it is UTC."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is None:
            return None
        return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def microseconds(value: object) -> int:
    """Returns a time that is written as microseconds since 1970 UTC; 0 if it is not known."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 < value <= LATEST_TIME else 0


def number(value: object) -> float | None:
    """Returns a finite number; None if it is not known."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
