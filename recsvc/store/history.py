"""How new events join a user's history: each once, in the order of time, the newest kept."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from recsvc.domain.shop import Event, EventType

_EVENT_TYPES = {event_type.value: event_type for event_type in EventType}  # a look-up costs a tenth of EventType(...)


class Entry(NamedTuple):
    """One event as a history keeps it. `id_hash` is 64 bits of the event id: enough to know the event again."""

    id_hash: int
    timestamp: int
    event_type: int
    quantity: float
    item_id: str


def hash_of(external_id: str) -> int:
    """64 bits of an id: enough to know it again, too little to tell it."""
    return int.from_bytes(hashlib.blake2b(external_id.encode(), digest_size=8).digest(), "big")


def entry_of(event: Event) -> Entry:
    return Entry(hash_of(event.event_id), event.timestamp, int(event.event_type), event.quantity, event.item_id)


def event_of(entry: Entry, user_id: str) -> Event:
    """The event again, as far as the history kept it: its id is the hash in hex; price, order and list are gone."""
    id_hash, timestamp, event_type, quantity, item_id = entry
    return Event(f"{id_hash:016x}", user_id, item_id, _EVENT_TYPES[event_type], timestamp, quantity)


def unseen(history: Sequence[Entry], events: Iterable[Event]) -> list[tuple[Entry, Event]]:
    """The events whose ids the history does not hold, each id once (the first wins), in the order given."""
    known = {entry.id_hash for entry in history}
    arrivals = []
    for event in events:
        entry = entry_of(event)
        if entry.id_hash not in known:
            known.add(entry.id_hash)
            arrivals.append((entry, event))
    return arrivals


def merge(history: Sequence[Entry], arrivals: Iterable[Entry], limit: int) -> list[Entry]:
    """`history` with unseen `arrivals` placed by their time, capped to the newest `limit`; oldest first.

    What the user hid has a cap of its own, of the same size: no number of later events may bring it back. Of equal
    times the one that came first stands first. Where a cap is reached, no arrival is taken that is not newer than the
    oldest entry: it may be one that was dropped before, and sending it again must not push out another.
    """
    held = {hidden: [entry.timestamp for entry in history if _is_hidden(entry) is hidden] for hidden in (True, False)}
    oldest = {hidden: times[0] if len(times) >= limit else None for hidden, times in held.items()}
    arrivals = [entry for entry in arrivals if (least := oldest[_is_hidden(entry)]) is None or entry.timestamp > least]
    if not arrivals:
        return list(history)
    room, newest = {True: limit, False: limit}, []
    # sorted() is stable: among equal times the history comes before the arrivals, and those in their order.
    for entry in sorted([*history, *arrivals], key=lambda entry: entry.timestamp)[::-1]:
        if room[_is_hidden(entry)]:
            room[_is_hidden(entry)] -= 1
            newest.append(entry)
    return newest[::-1]


def _is_hidden(entry: Entry) -> bool:
    return entry.event_type == EventType.HIDE
