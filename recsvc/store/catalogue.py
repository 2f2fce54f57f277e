"""What the shop says of its items while the service runs: stock, price, whether an item is there at all.

Each field of an item is a register of its own, in which the value that was set last holds, whatever order the writes
came in. Every change that took effect also stands in a short stream, numbered without gaps, which all server processes
follow; one that missed a part of it reads everything again.
"""

from collections.abc import AsyncIterator, Sequence

from recsvc.domain.records import ItemChange, ItemField
from recsvc.errors import StoreUnavailable
from recsvc.store import keys, packing, scripts
from recsvc.store.connection import RedisClient, operation

# A process that was away for longer reads the whole catalogue again, which takes a second or so.
_STREAM_LENGTH = 100_000
_PAGE = 1_000
_CONTENT_PAGE = 100  # as much to read as some hundred prices


class CatalogueStore:
    """Every method raises StoreUnavailable when Redis refuses, or does not answer in time."""

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._changes = keys.catalogue_changes(namespace)

    async def set(self, changes: Sequence[ItemChange]) -> None:
        """Sets fields. A change that is older than what is held takes no effect. After an error, set them all again."""
        calls: list[tuple[str | bytes | int, ...]] = []
        for change in changes:
            packed = packing.pack_item_change(change)
            # An item's words are some kilobytes: the stream says only that they are new.
            told = b"" if change.field is ItemField.CONTENT else packed
            key = keys.catalogue(self._namespace, change.field)
            calls.append((key, self._changes, change.item_id, change.field.value, packed, told, _STREAM_LENGTH))
        with operation("set_items"):
            await scripts.run_each(self._client, scripts.SET_ITEM, calls, keys=2)

    async def last_change(self) -> int:
        """The number of the change that took effect last; 0 for none."""
        with operation("follow_items"):
            found = await self._client.execute_command("XREVRANGE", self._changes, "+", "-", "COUNT", 1)
        return _number(found[0][0]) if found else 0

    async def read_all(self) -> AsyncIterator[list[ItemChange]]:
        """All that is held, in pages. A field that changes meanwhile is in it with one of its values."""
        for field in ItemField:
            key, cursor = keys.catalogue(self._namespace, field), 0
            while True:
                count = _CONTENT_PAGE if field is ItemField.CONTENT else _PAGE
                with operation("read_items"):
                    cursor, page = await self._client.execute_command("HSCAN", key, cursor, "COUNT", count)
                yield [packing.unpack_item_change(item_id.decode(), field, packed) for item_id, packed in page.items()]
                cursor = int(cursor)
                if not cursor:
                    break

    async def read_after(self, number: int) -> tuple[int, list[ItemChange]] | None:
        """The changes after one, at most a page of them, and the last one's number. None: some of them are gone from
        the stream, or Redis has lost what this process saw, and all has to be read again.
        """
        if (last := await self.last_change()) == number:
            return number, []
        if last < number:
            return None
        with operation("follow_items"):
            entries = await self._client.execute_command("XRANGE", self._changes, f"({number}-0", "+", "COUNT", _PAGE)
        if not entries or _number(entries[0][0]) != number + 1:
            return None
        told = [(fields[b"i"].decode(), _field(fields[b"f"]), fields[b"v"]) for _, fields in entries]
        contents = await self._contents([item_id for item_id, field, _ in told if field is ItemField.CONTENT])
        changes = [packing.unpack_item_change(*each) for each in told if each[1] is not ItemField.CONTENT]
        changes += [packing.unpack_item_change(*each) for each in contents]
        return _number(entries[-1][0]), changes

    async def _contents(self, item_ids: Sequence[str]) -> list[tuple[str, ItemField, bytes]]:
        """The words of these items, as they are by now."""
        if not item_ids:
            return []
        ids = list(dict.fromkeys(item_ids))
        with operation("follow_items"):
            found = await self._client.execute_command(
                "HMGET", keys.catalogue(self._namespace, ItemField.CONTENT), *ids
            )
        return [(i, ItemField.CONTENT, packed) for i, packed in zip(ids, found, strict=True) if packed is not None]


def _number(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def _field(name: bytes) -> ItemField:
    try:
        return ItemField(name.decode())
    except ValueError:
        raise StoreUnavailable("Redis holds a field of items that this version of recsvc does not know") from None
