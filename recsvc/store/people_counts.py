"""Works out how much of each new event counts for popularity, so that popularity counts people and not clicks.

A person counts once for an item and a kind of action: by their newest purchase that they kept, their newest addition to
the cart, and their newest view. So a second event adds only what the one before it has lost by age.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from recsvc.domain.history_rooms import ROOM_OF
from recsvc.domain.purchases import counted_pieces
from recsvc.domain.shop import Event, EventType
from recsvc.store.history import Entry
from recsvc.store.popularity import POPULAR_HALF_LIFE, WEIGHTS, CountedEvent

_MICROSECONDS_A_HALF_LIFE = POPULAR_HALF_LIFE * 86_400_000_000
# The action that an event counts for. A return changes what the purchases count.
_ACTIONS = {event_type.value: event_type for event_type in WEIGHTS} | {EventType.RETURN.value: EventType.PURCHASE}


def counted_events(
    history: Sequence[Entry], arrivals: Iterable[tuple[Entry, Event]], limit: int
) -> Iterator[CountedEvent]:
    """Works out what new events of one user change.

    Args:
        history: Of the user before the events, oldest first.
        arrivals: The new events, with their entries.
        limit: Entries that a history keeps in each room. Of an item that a full history does not know, the user may
            have done the same until the oldest entry.

    Yields:
        Events with the share of their weight that is added. A return, and an event that arrives late, change what
        earlier events count: these come with a negative share.
    """
    new: dict[tuple[str, EventType], list[tuple[Entry, Event]]] = {}
    for entry, event in arrivals:
        if (action := _ACTIONS.get(entry.event_type)) is not None:
            new.setdefault((entry.item_id, action), []).append((entry, event))
    items = {item_id for item_id, _ in new}
    known: defaultdict[tuple[str, EventType | None], list[Entry]] = defaultdict(list)
    for entry in history:
        if entry.item_id in items:
            known[entry.item_id, _ACTIONS.get(entry.event_type)].append(entry)
    known_since = {action: _known_since(history, action, limit) for action in {action for _, action in new}}
    for (item_id, action), of_item in new.items():
        entries, since = known[item_id, action], known_since[action]
        before, after = _shares(entries, since), _shares([*entries, *(entry for entry, _ in of_item)], since)
        newest = of_item[-1][1]
        for time in before.keys() | after.keys():
            if change := after.get(time, 0.0) - before.get(time, 0.0):
                is_newest = (newest.event_type, newest.timestamp) == (action, time)
                yield CountedEvent(newest if is_newest else replace(newest, event_type=action, timestamp=time), change)


def _known_since(history: Sequence[Entry], action: EventType, limit: int) -> float:
    """Returns the time before which the history may have dropped an event, microseconds since 1970 UTC."""
    if len(history) < limit:
        return -math.inf
    times = [entry.timestamp for entry in history if ROOM_OF[entry.event_type] is ROOM_OF[action]]
    return times[0] if len(times) >= limit else -math.inf


def _shares(entries: Sequence[Entry], since: float) -> dict[int, float]:
    """Returns the share of its weight that each event of one item and one action counts, by its time.

    Args:
        entries: Purchases with returns, or events of one other type.
        since: Until when the user may already have been counted.
    """
    shares = {}
    for time in sorted(_kept_times(entries)):
        if time > since:
            shares[time] = 1.0 - 0.5 ** ((time - since) / _MICROSECONDS_A_HALF_LIFE)
            since = time
    return shares


def _kept_times(entries: Sequence[Entry]) -> set[int]:
    """Returns the times of the events that were not sent back."""
    times = [entry.timestamp for entry in entries]
    is_return = [entry.event_type == EventType.RETURN for entry in entries]
    if not any(is_return):
        return set(times)
    returned = np.array(is_return)
    quantities = np.array([entry.quantity for entry in entries], np.float32)
    pieces = counted_pieces(np.zeros(len(entries), np.intp), np.array(times), quantities, ~returned, returned)
    return {time for time, is_kept in zip(times, (~returned & (pieces > 0)).tolist(), strict=True) if is_kept}
