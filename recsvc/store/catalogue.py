"""Keeps what the shop changes of its items while the service runs: stock, price, deletion, words.

Each field of an item is a register: the value with the latest set time holds, in whatever order the writes arrive.
Every change that takes effect is also an entry of a short stream, numbered without gaps, which all server processes
follow. A process that missed entries reads everything again.
"""

from collections.abc import AsyncIterator, Sequence

from recsvc.domain.records import ItemChange, ItemField
from recsvc.errors import StoreUnavailable
from recsvc.store import keys, packing, scripts
from recsvc.store.connection import RedisClient, operation

# Entries. A process that missed more reads all items again, which takes about a second.
_STREAM_LENGTH = 100_000
_PAGE_SIZE = 1_000  # items, or entries of the stream
_CONTENT_PAGE_SIZE = 100  # items; their words are some kilobytes each


class CatalogueStore:
    """The fields of all items. Every method raises StoreUnavailable if Redis refuses, or does not answer in time."""

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._changes = keys.catalogue_changes(namespace)

    async def set(self, changes: Sequence[ItemChange]) -> None:
        """Sets fields. A change older than the value that is held has no effect. After an error, set them all again."""
        calls: list[tuple[str | bytes | int, ...]] = []
        for change in changes:
            packed = packing.pack_item_change(change)
            # An item's words are some kilobytes: the stream only says that they changed.
            announced = b"" if change.field is ItemField.CONTENT else packed
            key = keys.catalogue(self._namespace, change.field)
            calls.append((key, self._changes, change.item_id, change.field.value, packed, announced, _STREAM_LENGTH))
        with operation("set_items"):
            await scripts.run_each(self._client, scripts.SET_ITEM, calls, keys=2)

    async def last_change(self) -> int:
        """The number of the newest change; 0 if there is none."""
        with operation("follow_items"):
            entries = await self._client.execute_command("XREVRANGE", self._changes, "+", "-", "COUNT", 1)
        return _number(entries[0][0]) if entries else 0

    async def read_all(self) -> AsyncIterator[list[ItemChange]]:
        """All fields, in pages. A field that changes meanwhile is returned with the old or the new value."""
        for field in ItemField:
            key, cursor = keys.catalogue(self._namespace, field), 0
            while True:
                count = _CONTENT_PAGE_SIZE if field is ItemField.CONTENT else _PAGE_SIZE
                with operation("read_items"):
                    cursor, page = await self._client.execute_command("HSCAN", key, cursor, "COUNT", count)
                yield [packing.unpack_item_change(item_id.decode(), field, packed) for item_id, packed in page.items()]
                cursor = int(cursor)
                if not cursor:
                    break

    async def read_after(self, number: int) -> tuple[int, list[ItemChange]] | None:
        """The changes after a change, at most a page of them.

        Returns:
            The number of the last change returned, and the changes. None if everything must be read again: some of the
            changes are no longer in the stream, or Redis has lost changes that this process has seen.
        """
        if (last := await self.last_change()) == number:
            return number, []
        if last < number:
            return None
        with operation("follow_items"):
            entries = await self._client.execute_command(
                "XRANGE", self._changes, f"({number}-0", "+", "COUNT", _PAGE_SIZE
            )
        if not entries or _number(entries[0][0]) != number + 1:
            return None
        announced = [(fields[b"i"].decode(), _field(fields[b"f"]), fields[b"v"]) for _, fields in entries]
        values = [value for value in announced if value[1] is not ItemField.CONTENT]
        values += await self._contents([item_id for item_id, field, _ in announced if field is ItemField.CONTENT])
        changes = [packing.unpack_item_change(*value) for value in values]
        return _number(entries[-1][0]), changes

    async def _contents(self, item_ids: Sequence[str]) -> list[tuple[str, ItemField, bytes]]:
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


def _number(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def _field(name: bytes) -> ItemField:
    try:
        return ItemField(name.decode())
    except ValueError:
        raise StoreUnavailable("Redis holds a field of items that this version of recsvc does not know") from None
