"""Packs values into bytes as Redis holds them: little-endian, the first byte is the format.

A history or profile in an unknown format raises StoreUnavailable, so that an older process never overwrites what a
newer one wrote. A user vector in an unknown format counts as absent: it is computed again.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import NO_TASTE, Item, Profile, Taste
from recsvc.errors import StoreUnavailable
from recsvc.store.history import Entry

FORMAT = 1
ONE_EACH = 2  # format of a short history in which all quantities are 1
LONG = 3  # format of a history of more than SHORT_EVENTS, compressed
VECTOR_FORMAT = 2
SHORT_EVENTS = 64  # unpacking them is quicker without compression
_COMPRESSION_LEVEL = 1  # of zlib: a quarter less time than its default, for a hundredth more bytes

_VECTOR_HEADER = struct.Struct("<BQQH")  # format, version, time written, known events; user_scripts.PUT_VECTOR reads it
_LONG_HEADER = struct.Struct("<BHB")  # format, number of events, 1 if quantities follow
_ITEM_HEADER = struct.Struct("<BQ")  # format, set time; shop_scripts.SET_ITEM reads the time


def pack_history(entries: Sequence[Entry]) -> bytes:
    """Packs the entries of a history.

    Layout of a short one: format, count; then the columns hash, time, quantity, length of the item id, type; then the
    item ids. The format ONE_EACH has no quantities: nearly all are 1, and a shop has millions of entries. `_pack_long`
    has the layout of a long one.
    """
    n = len(entries)
    if n > SHORT_EVENTS:
        return _pack_long(entries)
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
    """The entries, oldest first; empty if nothing is stored. Quantities are rounded to float32.

    The 16 low bits of hashes may be 0: see `history.RECOGNISED_BITS`.
    """
    if packed is None:
        return []
    with readable(packed, FORMAT, ONE_EACH, LONG):
        if packed[0] == LONG:
            return _unpack_long(packed)
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


def _pack_long(entries: Sequence[Entry]) -> bytes:
    """Packs a long history, at half the size and a little slower to unpack.

    Layout: the header; the high 48 bits of the hashes; then compressed: the columns type, length of the item id in
    characters, quantity (not if all are 1), time since the entry before (all lowest bytes, then all second bytes, and
    so on, because most high bytes are equal); then the item ids.
    """
    n = len(entries)
    id_hashes, times, types, quantities, item_ids = zip(*entries, strict=True)
    hashes = np.array(id_hashes, "<u8").view(np.uint8).reshape(n, 8)[:, 2:]
    since_before = np.diff(np.array(times, "<i8"), prepend=np.int64(0)).view(np.uint8).reshape(n, 8)
    if one_each := quantities.count(1) == n:
        quantities = ()
    columns = struct.pack(f"<{n}B{n}H{len(quantities)}f", *types, *map(len, item_ids), *quantities)
    body = zlib.compress(columns + since_before.T.tobytes() + "".join(item_ids).encode(), _COMPRESSION_LEVEL)
    return _LONG_HEADER.pack(LONG, n, not one_each) + hashes.tobytes() + body


def _unpack_long(packed: bytes) -> list[Entry]:
    _, n, has_quantities = _LONG_HEADER.unpack_from(packed)
    hashes = np.zeros((n, 8), np.uint8)
    start = _LONG_HEADER.size + 6 * n
    hashes[:, 2:] = np.frombuffer(packed, np.uint8, 6 * n, _LONG_HEADER.size).reshape(n, 6)
    body = zlib.decompress(packed[start:])
    layout = struct.Struct(f"<{n}B{n}H{n if has_quantities else 0}f")
    columns = layout.unpack_from(body)
    since_before = np.ascontiguousarray(np.frombuffer(body, np.uint8, 8 * n, layout.size).reshape(8, n).T)
    times = np.cumsum(since_before.view("<i8"))
    text = body[layout.size + 8 * n :].decode()
    ends = list(accumulate(columns[n : 2 * n], initial=0))
    if ends[-1] != len(text):
        raise ValueError("cut short, or longer than it says")
    item_ids = [text[start:end] for start, end in pairwise(ends)]
    fields = (
        hashes.view("<u8").ravel().tolist(),
        times.tolist(),
        columns[:n],
        columns[2 * n :] or (1.0,) * n,
        item_ids,
    )
    return list(map(Entry._make, zip(*fields, strict=True)))


def pack_profile(profile: Profile) -> bytes:
    """Packs a profile. Layout: format; then text, name, value, name, value, ..."""
    return bytes([FORMAT]) + pack_strings([profile.text, *(word for pair in profile.attributes for word in pair)])


def unpack_profile(packed: bytes | None) -> Profile | None:
    """The profile; None if nothing is stored."""
    if packed is None:
        return None
    with readable(packed):
        text, *words = unpack_strings(packed, 1)
        return Profile(text, tuple(zip(words[::2], words[1::2], strict=True)))


def pack_taste(taste: Taste) -> bytes:
    """Packs a taste. Layout: format, the size of each set; then the strings of all sets."""
    sets = list(map(sorted, taste.sets()))
    return struct.pack("<B4H", FORMAT, *map(len, sets)) + pack_strings(
        [string for strings in sets for string in strings]
    )


def unpack_taste(packed: bytes | None) -> Taste:
    """The taste; `NO_TASTE` if nothing is stored."""
    if packed is None:
        return NO_TASTE
    with readable(packed):
        counts = struct.unpack_from("<4H", packed, 1)
        strings = iter(unpack_strings(packed, 9))
        return Taste(*(frozenset(next(strings) for _ in range(count)) for count in counts))


def pack_embedding(embedding: NDArray[np.float32]) -> bytes:
    """Packs an embedding, float32 (dim,)."""
    return bytes([FORMAT]) + embedding.astype("<f4").tobytes()


def unpack_embedding(packed: bytes | None) -> NDArray[np.float32] | None:
    """The embedding, float32 (dim,); None if nothing is stored."""
    if packed is None:
        return None
    with readable(packed):
        return np.frombuffer(packed, "<f4", offset=1).astype(np.float32)


def pack_vector(vector: NDArray[np.float32], version: int, known_events: int, written_at: int) -> bytes:
    """Packs a user vector.

    Args:
        vector: Float32 (d,).
        version: Version of the user's record that it was computed from.
        known_events: Events of that record whose items the bundle knew.
        written_at: Microseconds since 1970 UTC.
    """
    return _VECTOR_HEADER.pack(VECTOR_FORMAT, version, written_at, known_events) + vector.astype("<f4").tobytes()


def unpack_vector(packed: bytes | None, version: int) -> tuple[NDArray[np.float32] | None, int]:
    """The vector, float32 (d,), and its number of known events.

    None and 0 unless it was computed from this very `version` of the user's record.
    """
    if packed is None or len(packed) <= _VECTOR_HEADER.size or len(packed) % 4 != _VECTOR_HEADER.size % 4:
        return None, 0
    stored_format, stored_version, _, known_events = _VECTOR_HEADER.unpack_from(packed)
    if (stored_format, stored_version) != (VECTOR_FORMAT, version):
        return None, 0
    return np.frombuffer(packed, "<f4", offset=_VECTOR_HEADER.size).astype(np.float32), known_events


def pack_item_change(change: ItemChange) -> bytes:
    """Packs the value of an item's field.

    Layout: format, set time; then a number. For ItemField.CONTENT instead: the embedding's length, the number of
    categories, the embedding, then encoder, title, brand, categories, name, value, name, value, ...
    """
    header = _ITEM_HEADER.pack(FORMAT, change.set_time)
    if isinstance(change.value, ItemContent):
        item, embedding = change.value.item, change.value.embedding.astype("<f4")
        attributes = (string for pair in item.attributes for string in pair)
        strings = pack_strings([change.value.encoder, item.title, item.brand, *item.categories, *attributes])
        return header + struct.pack("<HH", len(embedding), len(item.categories)) + embedding.tobytes() + strings
    return header + struct.pack("<d", np.nan if change.value is None else change.value)


def unpack_item_change(item_id: str, field: ItemField, packed: bytes) -> ItemChange:
    """The value of an item's field, and when it was set."""
    with readable(packed):
        _, set_time = _ITEM_HEADER.unpack_from(packed)
        start = _ITEM_HEADER.size
        if field is not ItemField.CONTENT:
            (value,) = struct.unpack("<d", packed[start:])
            return ItemChange(item_id, field, set_time, None if np.isnan(value) else value)
        dim, depth = struct.unpack_from("<HH", packed, start)
        embedding = np.frombuffer(packed, "<f4", dim, start + 4).astype(np.float32)
        encoder, title, brand, *strings = unpack_strings(packed, start + 4 + 4 * dim)
        attributes = tuple(zip(strings[depth::2], strings[depth + 1 :: 2], strict=True))
        item = Item(item_id, title, brand, tuple(strings[:depth]), attributes=attributes)
        return ItemChange(item_id, field, set_time, ItemContent(item, embedding, encoder))


def pack_strings(strings: Sequence[str]) -> bytes:
    """Packs strings one after another, each behind its length in bytes."""
    encoded = [string.encode() for string in strings]
    return b"".join(struct.pack("<H", len(string)) + string for string in encoded)


def unpack_strings(packed: bytes, start: int) -> list[str]:
    """The strings from `start` to the end."""
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
def readable(packed: bytes, *formats: int) -> Iterator[None]:
    """Checks the format, and turns any error while unpacking into StoreUnavailable. `formats`: only FORMAT if empty."""
    if packed[:1] not in [bytes([number]) for number in formats or (FORMAT,)]:
        raise StoreUnavailable("Redis holds a value in a format that this version of recsvc does not know")
    try:
        yield
    except (struct.error, zlib.error, ValueError, IndexError):
        # The bytes are personal data: they stay out of the message and the traceback.
        raise StoreUnavailable("Redis holds a value that is damaged") from None
