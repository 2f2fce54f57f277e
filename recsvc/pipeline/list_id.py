"""Makes and parses the id of a list.

An id encodes placement, arm and bundle, so any process can attribute events without a lookup. Ids come back from
callers: check the values against the known ones.
"""

import secrets
from typing import NamedTuple

_FIELDS = 4


class ListOrigin(NamedTuple):
    """What made a list. The names hold no full stop."""

    placement: str
    arm: str
    bundle_id: str


def recommendation_id(placement: str, arm: str, bundle_id: str) -> str:
    """Returns a new id. None of the names may hold a full stop."""
    return f"{placement}.{arm}.{bundle_id}.{secrets.token_hex(8)}"


def origin_of(list_id: str) -> ListOrigin | None:
    """Parses an id. Returns None if it has another form. The names in it may be made up."""
    parts = list_id.split(".")
    return ListOrigin(*parts[:3]) if len(parts) == _FIELDS else None
