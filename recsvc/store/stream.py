"""Follows a stream by its last entry that was read, so that a Redis that went back to an earlier state is noticed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recsvc.store.connection import RedisClient

StreamEntry = tuple[bytes, Mapping[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a process has read a stream.

    Attributes:
        entry_id: Of the last entry that was read; "" if the stream was empty.
        fields: Of that entry. They have a nonce, so another entry that gets the same id differs.
    """

    entry_id: str = ""
    fields: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """When Redis took the entry, by its clock, in seconds since 1970; 0 for an empty stream."""
        return int(self.entry_id.partition("-")[0] or 0) / 1_000

    @staticmethod
    def of(entries: Sequence[StreamEntry]) -> "Place":
        """The place after the last of some entries."""
        return Place(entries[-1][0].decode(), entries[-1][1]) if entries else Place()


async def last_place(client: RedisClient, key: str) -> Place:
    """Returns the end of a stream. Redis's own errors are not translated."""
    return Place.of(await client.execute_command("XREVRANGE", key, "+", "-", "COUNT", 1))


async def entries_after(client: RedisClient, key: str, place: Place, count: int) -> list[StreamEntry] | None:
    """Returns at most `count` entries after a place. Redis's own errors are not translated.

    None if everything must be read again: the entry of the place is no longer in the stream as it was, or the stream
    was empty and no longer is.
    """
    entries = await client.execute_command("XRANGE", key, place.entry_id or "-", "+", "COUNT", count + 1)
    if not place.entry_id:
        return None if entries else []
    if not entries or Place.of(entries[:1]) != place:
        return None
    return list(entries[1:])
