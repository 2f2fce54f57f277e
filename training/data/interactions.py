"""Events as arrays: every user's history in one block of memory, and the matrices that the blocks learn from."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from recsvc.domain.history_rooms import ROOM_EVENTS, ROOM_OF, newest_events
from recsvc.domain.purchases import counted_pieces
from recsvc.domain.shop import EventType, History
from recsvc.model.towers.confidence import ConfidenceConfig, event_confidence
from training.data.shop import Shop


@dataclass(frozen=True)
class Interactions:
    """Events sorted by user, then by time; ties keep the order of the file.

    Attributes:
        user_ids: (u,), ascending.
        n_items: How many items the shop has.
        offsets: int64 (u + 1,); the events of user i are offsets[i]:offsets[i + 1].
        rows: int32 (events,), the item of each event. This and the next three are as in `recsvc.domain.shop.History`.
        timestamps: int64 (events,), microseconds since 1970 UTC.
        event_types: int8 (events,), values of `EventType`.
        quantities: float32 (events,).
    """

    user_ids: NDArray[np.object_]
    n_items: int
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    event_types: NDArray[np.int8]
    quantities: NDArray[np.float32]

    @staticmethod
    def of(shop: Shop) -> "Interactions":
        """All events of a shop. The row of an item is its place in `shop.items`."""
        rows = shop.items.select("item_id").with_row_index("row")
        codes = {event_type.name.lower(): int(event_type) for event_type in EventType}
        events = (
            shop.events.join(rows, on="item_id", how="inner", maintain_order="left")
            .with_columns(pl.col("event_type").replace_strict(codes, return_dtype=pl.Int8))
            .sort("user_id", "timestamp", maintain_order=True)
        )
        user_ids, counts = np.unique(events["user_id"].to_numpy(), return_counts=True)
        return Interactions(
            user_ids=user_ids.astype(object),
            n_items=len(shop.items),
            offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            rows=events["row"].to_numpy().astype(np.int32),
            timestamps=events["timestamp"].to_physical().to_numpy().astype(np.int64),
            event_types=events["event_type"].to_numpy().astype(np.int8),
            quantities=events["quantity"].to_numpy().astype(np.float32),
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All columns but the ids: the events are the same where these are."""
        return self.offsets, self.rows, self.timestamps, self.event_types, self.quantities

    @property
    def end(self) -> int:
        """The time of the newest event, microseconds since 1970 UTC, from which ages are counted; 0 without events."""
        return int(self.timestamps.max(initial=0))

    @property
    def users(self) -> NDArray[np.int32]:
        """The user of each event, as an index into `user_ids`: int32 (events,)."""
        return np.repeat(np.arange(len(self.user_ids), dtype=np.int32), np.diff(self.offsets))

    @property
    def purchases(self) -> NDArray[np.bool_]:
        """Which events are purchases that were not sent back: bool (events,). See `recsvc.domain.purchases`."""
        return np.asarray(self.all_purchases & (self.counted_pieces > 0))

    @cached_property
    def counted_pieces(self) -> NDArray[np.float32]:
        """How many pieces of each event count after the returns: float32 (events,). See `recsvc.domain.purchases`."""
        pairs = self.users.astype(np.int64) * self.n_items + self.rows
        returned = np.asarray(self.event_types == EventType.RETURN)
        return counted_pieces(pairs, self.timestamps, self.quantities, self.all_purchases, returned)

    @property
    def all_purchases(self) -> NDArray[np.bool_]:
        """Which events are purchases, also those that were sent back: bool (events,)."""
        return np.asarray(self.event_types == EventType.PURCHASE)

    def history(self, user: int, limit: int | None = None) -> History:
        """The events of a user; the newest `limit` of each room (`recsvc.domain.history_rooms`), if it is given."""
        part = slice(self.offsets[user], self.offsets[user + 1])
        history = History(self.rows[part], self.timestamps[part], self.event_types[part], self.quantities[part])
        return history if limit is None else newest_events(history, limit)

    def histories(self, limit: int | None = None) -> Iterator[History]:
        """The history of every user, in the order of `user_ids`."""
        return (self.history(user, limit) for user in range(len(self.user_ids)))

    def select(self, keep: NDArray[np.bool_]) -> "Interactions":
        """The same users with the events that the mask keeps; a user may be left without any."""
        counts = np.bincount(self.users[keep], minlength=len(self.user_ids))
        return Interactions(
            self.user_ids,
            self.n_items,
            np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            self.rows[keep],
            self.timestamps[keep],
            self.event_types[keep],
            self.quantities[keep],
        )

    def user_items(self, config: ConfidenceConfig) -> csr_matrix:
        """Confidence on top of the 1 of an unseen item, float32 (u, n_items); without pairs that returns outweigh."""
        last = np.zeros(len(self.user_ids), np.int64)
        held = np.diff(self.offsets) > 0
        last[held] = self.timestamps[self.offsets[1:][held] - 1]
        users = self.users
        values = event_confidence(self.event_types, self.counted_pieces, last[users] - self.timestamps, config)
        shape = (len(self.user_ids), self.n_items)
        summed = coo_matrix((values, (users, self.rows)), shape=shape).tocsr()
        summed.data[summed.data <= 0] = 0
        summed.eliminate_zeros()
        return summed

    def binary_user_items(self) -> csr_matrix:
        """1 where the user has any event with the item: float32 (u, n_items)."""
        ones = np.ones(len(self.rows), np.float32)
        matrix = coo_matrix((ones, (self.users, self.rows)), shape=(len(self.user_ids), self.n_items)).tocsr()
        matrix.data[:] = 1
        return matrix

    def purchase_counts(self) -> NDArray[np.int32]:
        """The number of purchases of each item: int32 (n_items,)."""
        return np.bincount(self.rows[self.purchases], minlength=self.n_items).astype(np.int32)


def kept_events(events: pl.DataFrame, limit: int = ROOM_EVENTS) -> pl.DataFrame:
    """The events that the service keeps: of each user the newest `limit` of each room. The order stays.

    Args:
        events: With user_id and event_type; the events of a user oldest first.
        limit: Events of each room, at least 1.
    """
    rooms = {EventType(event_type).name.lower(): int(room) for event_type, room in ROOM_OF.items()}
    room = pl.col("event_type").replace_strict(rooms, return_dtype=pl.Int8)
    newer = pl.int_range(pl.len()).reverse().over("user_id", room)  # events of the same user and room
    return events.filter(newer < limit)
