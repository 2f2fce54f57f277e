"""The nouns of a shop: items, events, histories, profiles and tastes."""

import enum
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.purchases import counted_pieces

CATEGORY_SEPARATOR = " > "  # between the names of a path that is written as one string
# A ">" that stands alone, between spaces or at an end, separates. Any other is a part of a name, as in "Size >27 in".
_SEPARATOR = re.compile(r"(?<!\S)>(?!\S)")


def category_path(text: str) -> tuple[str, ...]:
    """The names of a path that is written as one string: without the spaces around them, and without empty names."""
    return tuple(name for part in _SEPARATOR.split(text) if (name := part.strip()))


class EventType(enum.IntEnum):
    """What a user did with an item. The proto and stored histories use the numbers: never reuse one."""

    PURCHASE = 1
    VIEW = 2
    ADD_TO_CART = 3
    RETURN = 4
    HIDE = 5
    IMPRESSION = 6  # the item was shown; it is logged and counted, and is in no history


UNDATED = -1  # the timestamp of an event until Redis's clock sets it


@dataclass(frozen=True, slots=True)
class Event:
    """One action of a user on an item.

    Attributes:
        event_id: The caller's id; an event with the same id is written once.
        user_id: The user.
        item_id: The item.
        event_type: The action.
        timestamp: Microseconds since 1970 UTC. UNDATED if the caller gave no time: the store then sets the time.
        quantity: Pieces.
        price: Of one piece, in the shop's currency; None if unknown.
        order_id: Of a purchase; '' if unknown.
        recommendation_id: List that the item was shown in; '' if none.
        segment: Of the shop's users, for popularity; '' for the whole shop. It is not stored.
    """

    event_id: str
    user_id: str
    item_id: str
    event_type: EventType
    timestamp: int
    quantity: float = 1.0
    price: float | None = None
    order_id: str = ""
    recommendation_id: str = ""
    segment: str = ""


@dataclass(frozen=True)
class History:
    """The events of one user as columns, oldest first. Events of items that the bundle does not know are left out.

    Attributes:
        rows: int32 (n,), the items' rows in the bundle.
        timestamps: int64 (n,), microseconds since 1970 UTC.
        event_types: int8 (n,), values of `EventType`.
        quantities: float32 (n,), pieces.
    """

    rows: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    event_types: NDArray[np.int8]
    quantities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def purchases(self) -> NDArray[np.bool_]:
        """Which events are purchases that were not sent back, bool (n,). See `recsvc.domain.purchases`."""
        return np.asarray(self.all_purchases & (self.counted_pieces > 0))

    @cached_property
    def counted_pieces(self) -> NDArray[np.float32]:
        """How many pieces of each event count after the returns, float32 (n,). See `recsvc.domain.purchases`."""
        return counted_pieces(self.rows, self.timestamps, self.quantities, self.all_purchases, self.returns)

    @property
    def returns(self) -> NDArray[np.bool_]:
        """Which events are returns, bool (n,)."""
        return np.asarray(self.event_types == EventType.RETURN)

    @cached_property
    def all_purchases(self) -> NDArray[np.bool_]:
        """Which events are purchases, also those that were sent back, bool (n,)."""
        return np.asarray(self.event_types == EventType.PURCHASE)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "History":
        """The history of some of the events.

        Args:
            keep: A mask (n,), indices, or a slice.
        """
        return History(self.rows[keep], self.timestamps[keep], self.event_types[keep], self.quantities[keep])

    @staticmethod
    def empty() -> "History":
        """A history without events."""
        return History(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Profile:
    """A description of a user, written by the user or the shop.

    Attributes:
        text: Free text.
        attributes: Names and values, in the shop's order.
    """

    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Taste:
    """What a user has said about their taste.

    Attributes:
        gifts: Ids of items that were bought for somebody else.
        less_items: Ids of items of which the user wants to see less.
        less_brands: Brands of which the user wants to see less.
        less_categories: Paths of categories, or beginnings of paths, of which the user wants to see less.
    """

    gifts: frozenset[str] = frozenset()
    less_items: frozenset[str] = frozenset()
    less_brands: frozenset[str] = frozenset()
    less_categories: frozenset[str] = frozenset()

    def sets(self) -> tuple[frozenset[str], ...]:
        """The four sets, in the order of the fields."""
        return self.gifts, self.less_items, self.less_brands, self.less_categories

    def changed(self, add: "Taste", remove: "Taste") -> "Taste":
        """A copy with `add` added, and then `remove` removed."""
        sets = zip(self.sets(), add.sets(), remove.sets(), strict=True)
        return Taste(*((present | added) - removed for present, added, removed in sets))


NO_TASTE = Taste()


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue. Its words are the seller's, so they are not trusted.

    Attributes:
        item_id: The shop's id.
        title: Title.
        brand: Brand; '' if it has none.
        categories: Path of categories, from the most general to the most specific.
        price: Of one piece; None if unknown.
        currency: Of the price, such as "EUR"; '' if unknown.
        attributes: Names and values. A name may have several values. Filters and reasons use them, the towers do not.
    """

    item_id: str
    title: str
    brand: str = ""
    categories: tuple[str, ...] = ()
    price: float | None = None
    currency: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
