"""Keeps what the shop changes of its items while the service runs: stock, price, deletion, words.

Each field of an item is a register: the value with the latest set time holds, in whatever order the writes arrive.
Every change that takes effect is also an entry of a short stream, which all server processes follow. A process knows
its place by the last entry that it applied. If that entry is no longer there, as it was, Redis has lost changes or the
process was away for too long: then it reads everything again.
"""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace

import structlog

from recsvc.domain.records import ItemChange, ItemField
from recsvc.errors import StoreUnavailable
from recsvc.runtime.metrics import UNREADABLE_VALUES
from recsvc.store import keys, packing, scripts, shop_scripts
from recsvc.store.connection import RedisClient, operation
from recsvc.store.durability import Durability
from recsvc.store.stream import Place, entries_after, last_place

# Entries. A process that missed more reads all items again, which takes about a second.
_STREAM_LENGTH = 100_000
_PAGE_SIZE = 1_000  # items, or entries of the stream
_CONTENT_PAGE_SIZE = 100  # items; their words are some kilobytes each
_MAX_UNFOLLOWED = 10_000  # changes; more than are written while the followers of this process take a step

_log = structlog.get_logger(__name__)


class CatalogueStore:
    """The fields of all items. Every method raises StoreUnavailable if Redis refuses, or does not answer in time.

    Attributes:
        unfollowed: What this process wrote and has not yet read from the stream, by item and field. Redis may lose it
            before any process follows it.
    """

    def __init__(self, client: RedisClient, namespace: str, durability: Durability) -> None:
        self._client = client
        self._durability = durability
        self._namespace = namespace
        self._changes = keys.catalogue_changes(namespace)
        self.unfollowed: dict[tuple[str, ItemField], ItemChange] = {}

    async def set(self, changes: Sequence[ItemChange]) -> None:
        """Sets fields. A change older than the value that is held has no effect. After an error, set them all again.

        A change with a `set_time` of 0 is set at the time of Redis's clock: what is written last holds. A later
        `set_time` than that clock's counts as that clock's.
        """
        async with self._durability.confirmed():
            set_times = await self._set(changes, restore=False)
            for change, set_time in zip(changes, set_times, strict=True):
                if set_time:
                    self.unfollowed[change.item_id, change.field] = replace(change, set_time=set_time)
            while len(self.unfollowed) > _MAX_UNFOLLOWED:
                del self.unfollowed[next(iter(self.unfollowed))]

    async def restore(self, changes: Sequence[ItemChange]) -> int:
        """Writes values back that Redis has lost. Values that are not older than these stay.

        Returns:
            How many values were missing.
        """
        restored = 0
        for start in range(0, len(changes), _CONTENT_PAGE_SIZE):
            set_times = await self._set(changes[start : start + _CONTENT_PAGE_SIZE], restore=True)
            restored += sum(map(bool, set_times))
        return restored

    def followed(self, changes: Iterable[ItemChange]) -> None:
        """Notes that this process applied changes from the stream."""
        for change in changes:
            written = self.unfollowed.get((change.item_id, change.field))
            if written is not None and written.set_time <= change.set_time:
                del self.unfollowed[change.item_id, change.field]

    async def last_place(self) -> Place:
        """The end of the stream."""
        with operation("follow_items"):
            return await last_place(self._client, self._changes)

    async def sizes(self) -> dict[ItemField, int]:
        """How many items have a value of each field. It never falls unless Redis loses data."""
        pipeline = self._client.pipeline(transaction=False)
        for item_field in ItemField:
            pipeline.execute_command("HLEN", keys.catalogue(self._namespace, item_field))
        with operation("measure_items"):
            return dict(zip(ItemField, await pipeline.execute(), strict=True))

    async def read_all(self) -> AsyncIterator[list[ItemChange]]:
        """All fields, in pages. A field that changes meanwhile is returned with the old or the new value.

        A value that this version cannot read is skipped and counted.
        """
        for item_field in ItemField:
            key, cursor = keys.catalogue(self._namespace, item_field), 0
            while True:
                count = _CONTENT_PAGE_SIZE if item_field is ItemField.CONTENT else _PAGE_SIZE
                with operation("read_items"):
                    cursor, page = await self._client.execute_command("HSCAN", key, cursor, "COUNT", count)
                yield _readable((item_id, item_field, packed) for item_id, packed in page.items())
                cursor = int(cursor)
                if not cursor:
                    break

    async def read_after(self, place: Place) -> tuple[Place, list[ItemChange]] | None:
        """The changes after a place, at most a page of them. One that this version cannot read is skipped and counted.

        Returns:
            The place of the last change, and the changes. None if everything must be read again: the entry of the
            place is no longer in the stream, or the stream was empty and no longer is.
        """
        with operation("follow_items"):
            entries = await entries_after(self._client, self._changes, place, _PAGE_SIZE)
        if entries is None:
            return None
        announced = [_announcement(fields) for _, fields in entries]
        values = [value for value in announced if value is not None and value[1] is not ItemField.CONTENT]
        reworded = [value[0] for value in announced if value is not None and value[1] is ItemField.CONTENT]
        values += await self._contents(reworded)
        return (Place.of(entries) if entries else place), _readable(values)

    async def _set(self, changes: Sequence[ItemChange], *, restore: bool) -> list[int]:
        """Returns the set time of each change; 0 for one without effect."""
        nonce = secrets.token_hex(6)
        calls: list[tuple[str | bytes | int, ...]] = []
        for change in changes:
            # An item's words are some kilobytes: the stream only says that they changed.
            announced = "" if change.field is ItemField.CONTENT else "1"
            key, packed = keys.catalogue(self._namespace, change.field), packing.pack_item_change(change)
            arguments = (packed, announced, _STREAM_LENGTH, nonce, "1" if restore else "")
            calls.append((key, self._changes, change.item_id, change.field.value, *arguments))
        with operation("restore_items" if restore else "set_items"):
            return await scripts.run_each(self._client, shop_scripts.SET_ITEM, calls, keys=2)

    async def _contents(self, item_ids: Sequence[bytes]) -> list[tuple[bytes, ItemField, bytes]]:
        """The words of these items as they are now, packed."""
        if not item_ids:
            return []
        ids = list(dict.fromkeys(item_ids))
        with operation("follow_items"):
            contents = await self._client.execute_command(
                "HMGET", keys.catalogue(self._namespace, ItemField.CONTENT), *ids
            )
        return [
            (item_id, ItemField.CONTENT, packed)
            for item_id, packed in zip(ids, contents, strict=True)
            if packed is not None
        ]


def _announcement(fields: Mapping[bytes, bytes]) -> tuple[bytes, ItemField, bytes] | None:
    """The item, the field and the packed value of an entry of the stream; None if this version cannot read it."""
    try:
        return fields[b"i"], ItemField(fields[b"f"].decode()), fields[b"v"]
    except (KeyError, ValueError):
        _note_unreadable(1)
        return None


def _readable(values: Iterable[tuple[bytes, ItemField, bytes]]) -> list[ItemChange]:
    """Unpacks the values that this version can read."""
    changes, unreadable = [], 0
    for item_id, item_field, packed in values:
        try:
            changes.append(packing.unpack_item_change(item_id.decode(), item_field, packed))
        except (StoreUnavailable, UnicodeDecodeError):
            unreadable += 1
    if unreadable:
        _note_unreadable(unreadable)
    return changes


def _note_unreadable(count: int) -> None:
    UNREADABLE_VALUES.labels("items").inc(count)
    _log.warning("values_skipped", data="items", count=count, problem="this version of recsvc cannot read them")
