"""The id of a list says which placement, arm and bundle made it: what becomes of the list is counted by them, on any
server process, with nothing looked up. Ids come back from callers, so what they say is believed only if it is known.
"""

import secrets
from collections.abc import Container, Iterable

from recsvc.domain.shop import Event
from recsvc.runtime.metrics import ATTRIBUTED

_FIELDS = 4


def recommendation_id(placement: str, arm: str, bundle_id: str) -> str:
    """A new one. None of the names has a full stop."""
    return f"{placement}.{arm}.{bundle_id}.{secrets.token_hex(8)}"


def count(events: Iterable[Event], arms: Container[tuple[str, str]], bundle_ids: Container[str]) -> None:
    """Counts the events that a list led to. arms: every placement with each of its arms."""
    for event in events:
        parts = event.recommendation_id.split(".")
        if len(parts) == _FIELDS and (parts[0], parts[1]) in arms and parts[2] in bundle_ids:
            ATTRIBUTED.labels(*parts[:3], event.event_type.name.lower()).inc()
