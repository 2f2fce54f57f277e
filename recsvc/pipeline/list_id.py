"""Makes and reads the id of a list.

An id encodes placement, arm and bundle, so any process can attribute events without a lookup. Ids come from callers:
unknown values are ignored.
"""

import secrets
from collections.abc import Container, Iterable

from recsvc.domain.shop import Event
from recsvc.runtime.metrics import ATTRIBUTED

_FIELDS = 4


def recommendation_id(placement: str, arm: str, bundle_id: str) -> str:
    """Returns a new id. None of the names may contain a full stop."""
    return f"{placement}.{arm}.{bundle_id}.{secrets.token_hex(8)}"


def count(events: Iterable[Event], arms: Container[tuple[str, str]], bundle_ids: Container[str]) -> None:
    """Counts the events that came from a list, by placement, arm, bundle and type of event.

    Args:
        events: With the ids that callers sent.
        arms: Every known placement with each of its arms.
        bundle_ids: The known bundles.
    """
    for event in events:
        parts = event.recommendation_id.split(".")
        if len(parts) == _FIELDS and (parts[0], parts[1]) in arms and parts[2] in bundle_ids:
            ATTRIBUTED.labels(*parts[:3], event.event_type.name.lower()).inc()
