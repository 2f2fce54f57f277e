"""Merges new events into a user's history: each event once, in order of time, the newest kept."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from recsvc.domain.shop import Event, EventType

_EVENT_TYPES = {event_type.value: event_type for event_type in EventType}  # a look-up costs a tenth of EventType(...)


class Entry(NamedTuple):
    """One event as a history keeps it.

    Attributes:
        id_hash: `hash_of` the event id; enough to recognise the event.
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


def entry_of(event: Event) -> Entry:
    """The entry that keeps an event."""
    return Entry(hash_of(event.event_id), event.timestamp, int(event.event_type), event.quantity, event.item_id)


def event_of(entry: Entry, user_id: str) -> Event:
    """The event of an entry. Its id is the hash in hexadecimal; price, order and list were not kept."""
    id_hash, timestamp, event_type, quantity, item_id = entry
    return Event(f"{id_hash:016x}", user_id, item_id, _EVENT_TYPES[event_type], timestamp, quantity)


def unseen(history: Sequence[Entry], events: Iterable[Event]) -> list[tuple[Entry, Event]]:
    """The events whose ids are not in the history, in their order. Of equal ids the first event is taken."""
    seen = {entry.id_hash for entry in history}
    arrivals = []
    for event in events:
        entry = entry_of(event)
        if entry.id_hash not in seen:
            seen.add(entry.id_hash)
            arrivals.append((entry, event))
    return arrivals


def merge(history: Sequence[Entry], arrivals: Iterable[Entry], limit: int) -> list[Entry]:
    """Inserts unseen entries by their time, and keeps the newest.

    Hidden items have a limit of their own, of the same size: later events must not bring a hidden item back. At equal
    times the entry that came first is first. Once a limit is reached, only arrivals newer than the oldest entry are
    taken: an older one may have been dropped before, and sending it again must not push out another.

    Args:
        history: Entries, oldest first.
        arrivals: Entries that are not in the history.
        limit: Entries to keep, of hidden items and of all others.

    Returns:
        The entries kept, oldest first.
    """
    times_kept = {
        hidden: [entry.timestamp for entry in history if _is_hidden(entry) is hidden] for hidden in (True, False)
    }
    oldest = {hidden: times[0] if len(times) >= limit else None for hidden, times in times_kept.items()}
    arrivals = [
        entry for entry in arrivals if (cutoff := oldest[_is_hidden(entry)]) is None or entry.timestamp > cutoff
    ]
    if not arrivals:
        return list(history)
    room, newest = {True: limit, False: limit}, []
    # sorted() is stable: at equal times the history comes before the arrivals, which keep their order.
    for entry in sorted([*history, *arrivals], key=lambda entry: entry.timestamp)[::-1]:
        if room[_is_hidden(entry)]:
            room[_is_hidden(entry)] -= 1
            newest.append(entry)
    return newest[::-1]


def _is_hidden(entry: Entry) -> bool:
    return entry.event_type == EventType.HIDE
