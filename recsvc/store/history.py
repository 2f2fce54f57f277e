"""Merges new events into a user's history: each event once, in order of time, the newest of each room kept."""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from recsvc.domain.history_rooms import ROOM_OF, Room, newest_of_each_room
from recsvc.domain.shop import Event, EventType

_EVENT_TYPES = {event_type.value: event_type for event_type in EventType}  # a look-up costs a tenth of EventType(...)
RECOGNISED_BITS = 48  # the high bits of a hash. A long history keeps no more
_OTHER_BITS = 64 - RECOGNISED_BITS


class Entry(NamedTuple):
    """One event as a history keeps it.

    Attributes:
        id_hash: `hash_of` the event id. RECOGNISED_BITS of it are enough to recognise the event.
        timestamp: Microseconds since 1970 UTC.
        event_type: A value of `EventType`.
        quantity: As in `Event.quantity`.
        item_id: As in `Event.item_id`.
    """

    id_hash: int
    timestamp: int
    event_type: int
    quantity: float
    item_id: str


def hash_of(external_id: str) -> int:
    """64 bits of an id's hash: enough to recognise the id, too little to reveal it."""
    return int.from_bytes(hashlib.blake2b(external_id.encode(), digest_size=8).digest(), "big")


def recognised(id_hash: int) -> int:
    """The part of a hash that two entries of one event have in common, however they were packed."""
    return id_hash >> _OTHER_BITS


def entry_of(event: Event) -> Entry:
    """The entry that keeps an event."""
    return Entry(hash_of(event.event_id), event.timestamp, int(event.event_type), event.quantity, event.item_id)


def event_of(entry: Entry, user_id: str) -> Event:
    """The event of an entry. Its id is the hash in hexadecimal; price, order and list were not kept."""
    id_hash, timestamp, event_type, quantity, item_id = entry
    return Event(f"{id_hash:016x}", user_id, item_id, _EVENT_TYPES[event_type], timestamp, quantity)


def unseen(history: Sequence[Entry], events: Iterable[Event]) -> list[tuple[Entry, Event]]:
    """The events whose ids are not in the history, in their order. Of equal ids the first event is taken."""
    seen = {entry.id_hash >> _OTHER_BITS for entry in history}  # inline: histories are long
    arrivals = []
    for event in events:
        entry = entry_of(event)
        if recognised(entry.id_hash) not in seen:
            seen.add(recognised(entry.id_hash))
            arrivals.append((entry, event))
    return arrivals


def merge(history: Sequence[Entry], arrivals: Iterable[Entry], limit: int) -> list[Entry]:
    """Inserts unseen entries by their time, and keeps the newest of each room.

    At equal times the entry that came first is first. See `too_old` for arrivals that are not taken.

    Args:
        history: Entries, oldest first.
        arrivals: Entries that are not in the history.
        limit: Entries to keep of each room; see `recsvc.domain.history_rooms`.

    Returns:
        The entries kept, oldest first.
    """
    old = too_old(history, limit)
    taken = [entry for entry in arrivals if not old(entry)]
    if not taken:
        return list(history)
    # sorted() is stable: at equal times the history comes before the arrivals, which keep their order.
    merged = sorted([*history, *taken], key=lambda entry: entry.timestamp)
    if len(merged) <= limit:
        return merged
    kept = newest_of_each_room([entry.event_type for entry in merged], limit)
    return [entry for entry, keep in zip(merged, kept.tolist(), strict=True) if keep]


def too_old(history: Sequence[Entry], limit: int) -> Callable[[Entry], bool]:
    """Returns a function that says whether an unseen entry is not newer than all entries of a full room.

    Such an entry may have been dropped before. Sent again, it must not push out another one, or be counted twice.
    """
    if len(history) < limit:
        return lambda _: False
    times: dict[Room, list[int]] = {room: [] for room in Room}
    for entry in history:
        times[ROOM_OF[entry.event_type]].append(entry.timestamp)
    oldest = {room: room_times[0] for room, room_times in times.items() if len(room_times) >= limit}
    oldest_kept = {value: oldest[room] for value, room in ROOM_OF.items() if room in oldest}
    return lambda entry: entry.timestamp <= oldest_kept.get(entry.event_type, -math.inf)
