"""Values as Redis holds them: packed bytes, little-endian, the first byte says which format.

A history or profile in a format that this version does not know raises `StoreUnavailable`, so that an older process
can never overwrite what a newer one wrote. A user vector of such a format is as good as absent: it is computed again.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.records import ItemChange, ItemContent, ItemField, ServedList
from recsvc.domain.shop import NO_TASTE, Event, EventType, Item, Profile, Taste
from recsvc.errors import StoreUnavailable
from recsvc.store.history import Entry

FORMAT = 1
ONE_EACH = 2  # of a history
# These stand where a logged event has its type.
ERASURE = 0  # the user was erased
LIST = 255  # a list that the user was given

VECTOR_FORMAT = 2

# format, version, written at (microseconds), known events; scripts.PUT_VECTOR reads it too
_VECTOR_HEADER = struct.Struct("<BQQH")
_ITEM_HEADER = struct.Struct("<BQ")  # format, set time; scripts.SET_ITEM reads the time
_GIVEN_HEADER = struct.Struct("<BqQddHH")
_LOGGED_HEADER = struct.Struct("<BBqdd")  # format, event type, timestamp, quantity, price; scripts.ERASE_PAGE reads 2


def pack_history(entries: Sequence[Entry]) -> bytes:
    """format, count; then the columns hash, time, quantity, item id length, type; then the item ids. Format ONE_EACH
    has no quantities: all are 1, as nearly everybody's are, and a byte counts a million times.
    """
    n = len(entries)
    item_ids = [entry.item_id.encode() for entry in entries]
    quantities = [entry.quantity for entry in entries]
    if one_each := all(quantity == 1 for quantity in quantities):
        quantities = []
    return struct.pack(
        f"<BH{n}Q{n}q{len(quantities)}f{n}H{n}B",
        ONE_EACH if one_each else FORMAT,
        n,
        *(entry.id_hash for entry in entries),
        *(entry.timestamp for entry in entries),
        *quantities,
        *map(len, item_ids),
        *(entry.event_type for entry in entries),
    ) + b"".join(item_ids)


def unpack_history(packed: bytes | None) -> list[Entry]:
    """The entries, oldest first; none when nothing is stored. Quantities come back rounded to float32."""
    if packed is None:
        return []
    with _readable(packed, FORMAT, ONE_EACH):
        (n,) = struct.unpack_from("<H", packed, 1)
        counted = 0 if packed[0] == ONE_EACH else n
        layout = struct.Struct(f"<{n}Q{n}q{counted}f{n}H{n}B")
        columns = layout.unpack_from(packed, 3)
        hashes, times, quantities = columns[:n], columns[n : 2 * n], columns[2 * n : 2 * n + counted] or (1.0,) * n
        lengths, types = columns[2 * n + counted : -n or None], columns[len(columns) - n :]
        item_ids, start = [], 3 + layout.size
        for length in lengths:
            item_ids.append(packed[start : start + length].decode())
            start += length
        _check_end(packed, start)
        return list(map(Entry._make, zip(hashes, times, types, quantities, item_ids, strict=True)))


def pack_profile(profile: Profile) -> bytes:
    """format; then text, name, value, name, value, ..."""
    return bytes([FORMAT]) + _pack_strings([profile.text, *(word for pair in profile.attributes for word in pair)])


def unpack_profile(packed: bytes | None) -> Profile | None:
    if packed is None:
        return None
    with _readable(packed):
        text, *words = _unpack_strings(packed, 1)
        return Profile(text, tuple(zip(words[::2], words[1::2], strict=True)))


def pack_taste(taste: Taste) -> bytes:
    """format, how many there are of each sort; then the words of all."""
    sorts = list(map(sorted, taste.sorts()))
    return struct.pack("<B4H", FORMAT, *map(len, sorts)) + _pack_strings([word for words in sorts for word in words])


def unpack_taste(packed: bytes | None) -> Taste:
    if packed is None:
        return NO_TASTE
    with _readable(packed):
        counts = struct.unpack_from("<4H", packed, 1)
        words = iter(_unpack_strings(packed, 9))
        return Taste(*(frozenset(next(words) for _ in range(count)) for count in counts))


def pack_embedding(embedding: NDArray[np.float32]) -> bytes:
    return bytes([FORMAT]) + embedding.astype("<f4").tobytes()


def unpack_embedding(packed: bytes | None) -> NDArray[np.float32] | None:
    if packed is None:
        return None
    with _readable(packed):
        return np.frombuffer(packed, "<f4", offset=1).astype(np.float32)


def pack_vector(vector: NDArray[np.float32], version: int, known_events: int, written_at: int) -> bytes:
    return _VECTOR_HEADER.pack(VECTOR_FORMAT, version, written_at, known_events) + vector.astype("<f4").tobytes()


def unpack_vector(packed: bytes | None, version: int) -> tuple[NDArray[np.float32] | None, int]:
    """The vector, if it was computed from this very version of the user's record, and from how many known events;
    else None and 0.
    """
    if packed is None or len(packed) <= _VECTOR_HEADER.size or len(packed) % 4 != _VECTOR_HEADER.size % 4:
        return None, 0
    found_format, found_version, _, known_events = _VECTOR_HEADER.unpack_from(packed)
    if (found_format, found_version) != (VECTOR_FORMAT, version):
        return None, 0
    return np.frombuffer(packed, "<f4", offset=_VECTOR_HEADER.size).astype(np.float32), known_events


def pack_logged(event: Event) -> bytes:
    """An event as the log keeps it: everything but the user id, which has a field of its own."""
    price = np.nan if event.price is None else event.price  # a price is a number, so NaN can mean: unknown
    header = _LOGGED_HEADER.pack(FORMAT, event.event_type, event.timestamp, event.quantity, price)
    return header + _pack_strings([event.event_id, event.item_id, event.order_id, event.recommendation_id])


def pack_erasure() -> bytes:
    """The tombstone that the log keeps in place of an erased user's events."""
    return bytes([FORMAT, ERASURE])


def pack_logged_list(given: ServedList) -> bytes:
    """A list as the log keeps it."""
    return bytes([FORMAT, LIST]) + pack_given_list(given)


def unpack_logged(packed: bytes, user_id: str) -> Event | ServedList | None:
    """The event or the list, or None for the tombstone of an erased user."""
    with _readable(packed):
        if packed[1] == ERASURE:
            return None
        if packed[1] == LIST:
            return unpack_given_list(packed[2:], user_id)
        _, event_type, timestamp, quantity, price = _LOGGED_HEADER.unpack_from(packed)
        event_id, item_id, order_id, recommendation_id = _unpack_strings(packed, _LOGGED_HEADER.size)
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


def pack_given_list(given: ServedList) -> bytes:
    """format, time, version, propensity, exploration, shown, number of items; their scores; then the words, the items'
    ids, and the candidates'.
    """
    scores = [score for _, score in given.items]
    words = [given.recommendation_id, given.placement, given.arm, given.bundle_id, given.surface]
    numbers = (given.time, given.version, given.propensity, given.exploration, given.shown, len(scores))
    item_ids = [item_id for item_id, _ in given.items]
    packed_scores = struct.pack(f"<{len(scores)}f", *scores)
    return _GIVEN_HEADER.pack(FORMAT, *numbers) + packed_scores + _pack_strings([*words, *item_ids, *given.candidates])


def unpack_given_list(packed: bytes, user_id: str) -> ServedList:
    with _readable(packed):
        _, moment, version, propensity, exploration, shown, n = _GIVEN_HEADER.unpack_from(packed)
        scores = struct.unpack_from(f"<{n}f", packed, _GIVEN_HEADER.size)
        words = _unpack_strings(packed, _GIVEN_HEADER.size + 4 * n)
        list_id, placement, arm, bundle_id, surface, *item_ids = words
        return ServedList(
            recommendation_id=list_id,
            user_id=user_id,
            time=moment,
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
        )


def pack_item_change(change: ItemChange) -> bytes:
    """format, set time; then the number; or an embedding after its length, how many categories there are, and encoder,
    title, brand, categories, name, value, name, value, ...
    """
    header = _ITEM_HEADER.pack(FORMAT, change.set_time)
    if isinstance(change.value, ItemContent):
        item, embedding = change.value.item, change.value.embedding.astype("<f4")
        attributes = (word for pair in item.attributes for word in pair)
        words = _pack_strings([change.value.encoder, item.title, item.brand, *item.categories, *attributes])
        return header + struct.pack("<HH", len(embedding), len(item.categories)) + embedding.tobytes() + words
    return header + struct.pack("<d", np.nan if change.value is None else change.value)


def unpack_item_change(item_id: str, field: ItemField, packed: bytes) -> ItemChange:
    with _readable(packed):
        _, set_time = _ITEM_HEADER.unpack_from(packed)
        start = _ITEM_HEADER.size
        if field is not ItemField.CONTENT:
            (value,) = struct.unpack("<d", packed[start:])
            return ItemChange(item_id, field, set_time, None if np.isnan(value) else value)
        dim, depth = struct.unpack_from("<HH", packed, start)
        embedding = np.frombuffer(packed, "<f4", dim, start + 4).astype(np.float32)
        encoder, title, brand, *words = _unpack_strings(packed, start + 4 + 4 * dim)
        attributes = tuple(zip(words[depth::2], words[depth + 1 :: 2], strict=True))
        item = Item(item_id, title, brand, tuple(words[:depth]), attributes=attributes)
        return ItemChange(item_id, field, set_time, ItemContent(item, embedding, encoder))


def _pack_strings(strings: Sequence[str]) -> bytes:
    encoded = [string.encode() for string in strings]
    return b"".join(struct.pack("<H", len(string)) + string for string in encoded)


def _unpack_strings(packed: bytes, start: int) -> list[str]:
    strings = []
    while start < len(packed):
        (length,) = struct.unpack_from("<H", packed, start)
        strings.append(packed[start + 2 : start + 2 + length].decode())
        start += 2 + length
    _check_end(packed, start)
    return strings


def _check_end(packed: bytes, end: int) -> None:
    if end != len(packed):
        raise ValueError("cut short, or longer than it says")


@contextmanager
def _readable(packed: bytes, *formats: int) -> Iterator[None]:
    if packed[:1] not in [bytes([known]) for known in formats or (FORMAT,)]:
        raise StoreUnavailable("Redis holds a value in a format that this version of recsvc does not know")
    try:
        yield
    except (struct.error, ValueError, IndexError):
        # What was read is somebody's data: it stays out of the message and the traceback.
        raise StoreUnavailable("Redis holds a value that is damaged") from None
