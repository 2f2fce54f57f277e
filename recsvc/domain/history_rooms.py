"""Which events of a user are kept: the newest of each room. So page views never push out a purchase.

Serving, training and `training.backfill` all call this, so that the towers read the same history everywhere.
"""

import enum
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.shop import EventType, History

ROOM_EVENTS = 256  # of each room, unless the caller asks for another number


class Room(enum.IntEnum):
    """A part of a history with a limit of its own. One room never pushes out an event of another."""

    PURCHASES = 0
    RETURNS = 1
    HIDES = 2
    VISITS = 3  # views and carts


ROOM_OF: dict[int, Room] = {
    EventType.PURCHASE: Room.PURCHASES,
    EventType.RETURN: Room.RETURNS,
    EventType.HIDE: Room.HIDES,
    EventType.VIEW: Room.VISITS,
    EventType.ADD_TO_CART: Room.VISITS,
}
"""The room of each type of event that a history holds. Impressions are in no history."""

_ROOM_OF_VALUE = np.full(max(EventType) + 1, Room.VISITS, np.int8)
for _event_type, _room in ROOM_OF.items():
    _ROOM_OF_VALUE[_event_type] = _room


def newest_of_each_room(event_types: Sequence[int] | NDArray[np.int8], limit: int = ROOM_EVENTS) -> NDArray[np.bool_]:
    """Marks the events that a history keeps.

    Args:
        event_types: Values of `EventType` (n,), oldest first. None is IMPRESSION.
        limit: Events to keep of each room, at least 1.

    Returns:
        bool (n,).
    """
    kept = np.ones(len(event_types), bool)
    if len(event_types) > limit:
        rooms = _ROOM_OF_VALUE[np.asarray(event_types)]
        for room in Room:
            kept[np.flatnonzero(rooms == room)[:-limit]] = False
    return kept


def newest_events(history: History, limit: int = ROOM_EVENTS) -> History:
    """The history with the newest `limit` events of each room."""
    return history if len(history) <= limit else history.select(newest_of_each_room(history.event_types, limit))
