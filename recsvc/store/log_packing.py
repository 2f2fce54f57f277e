"""Packs the entries of the event log, and served lists, into bytes as Redis holds them; see `recsvc.store.packing`."""

import struct

import numpy as np

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event, EventType
from recsvc.store.packing import FORMAT, pack_strings, readable, unpack_strings

# These are where a logged event has its type.
ERASURE = 0  # a tombstone: the user was erased
LIST = 255  # a list that the user was shown

SEARCH_FORMAT = 2  # format of a list that answers a search: it has the query, too

_EVENT_HEADER = struct.Struct(
    "<BBqdd"
)  # format, event type, timestamp, quantity, price; user_scripts.ERASE_PAGE reads 2
_LIST_HEADER = struct.Struct("<BqQddHH")  # format, time, version, propensity, exploration, items shown before, items


def pack_logged_event(event: Event) -> bytes:
    """Packs an event for the log: all but the user id, which is a field of the log's entry."""
    price = np.nan if event.price is None else event.price  # no price is NaN, so NaN can stand for an unknown one
    header = _EVENT_HEADER.pack(FORMAT, event.event_type, event.timestamp, event.quantity, price)
    return header + pack_strings([event.event_id, event.item_id, event.order_id, event.recommendation_id])


def pack_tombstone() -> bytes:
    """The entry that marks in the log that a user was erased."""
    return bytes([FORMAT, ERASURE])


def pack_logged_list(served: ServedList) -> bytes:
    """Packs a list for the log."""
    return bytes([FORMAT, LIST]) + pack_served_list(served)


def unpack_logged(packed: bytes, user_id: str) -> Event | ServedList | None:
    """The event or list of an entry of the log; None for a tombstone."""
    with readable(packed):
        if packed[1] == ERASURE:
            return None
        if packed[1] == LIST:
            return unpack_served_list(packed[2:], user_id)
        _, event_type, timestamp, quantity, price = _EVENT_HEADER.unpack_from(packed)
        event_id, item_id, order_id, recommendation_id = unpack_strings(packed, _EVENT_HEADER.size)
        return Event(
            event_id=event_id,
            user_id=user_id,
            item_id=item_id,
            event_type=EventType(event_type),
            timestamp=timestamp,
            quantity=quantity,
            price=None if np.isnan(price) else price,
            order_id=order_id,
            recommendation_id=recommendation_id,
        )


def pack_served_list(served: ServedList) -> bytes:
    """Packs a list for its user's lists.

    Layout: the header; the items' scores; then strings: list id, placement, arm, bundle id, surface, in SEARCH_FORMAT
    the query and the corrected query, ids of the items, ids of the candidates.
    """
    item_ids, scores = [item_id for item_id, _ in served.items], [score for _, score in served.items]
    numbers = (served.time, served.version, served.propensity, served.exploration, served.shown, len(scores))
    strings = [served.recommendation_id, served.placement, served.arm, served.bundle_id, served.surface]
    if served.query:
        strings += [served.query, served.corrected_query]
    header = _LIST_HEADER.pack(SEARCH_FORMAT if served.query else FORMAT, *numbers) + struct.pack(
        f"<{len(scores)}f", *scores
    )
    return header + pack_strings([*strings, *item_ids, *served.candidates])


def unpack_served_list(packed: bytes, user_id: str) -> ServedList:
    """The list that `pack_served_list` packed."""
    with readable(packed, FORMAT, SEARCH_FORMAT):
        list_format, shown_at, version, propensity, exploration, shown, n = _LIST_HEADER.unpack_from(packed)
        scores = struct.unpack_from(f"<{n}f", packed, _LIST_HEADER.size)
        strings = unpack_strings(packed, _LIST_HEADER.size + 4 * n)
        list_id, placement, arm, bundle_id, surface, *item_ids = strings
        query, corrected_query = "", ""
        if list_format == SEARCH_FORMAT:
            query, corrected_query, *item_ids = item_ids
        return ServedList(
            recommendation_id=list_id,
            user_id=user_id,
            time=shown_at,
            version=version,
            placement=placement,
            arm=arm,
            propensity=propensity,
            bundle_id=bundle_id,
            surface=surface,
            shown=shown,
            items=tuple(zip(item_ids[:n], scores, strict=True)),
            exploration=exploration,
            candidates=tuple(item_ids[n:]),
            query=query,
            corrected_query=corrected_query,
        )
