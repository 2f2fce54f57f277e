"""The nouns of a shop: items, events, histories, profiles and what users say of their taste."""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CATEGORY_SEPARATOR = " > "  # between the parts of a path, where it is one string


class EventType(enum.IntEnum):
    """What a user did with an item. The numbers are those of the proto and of the packed history: never reuse one."""

    PURCHASE = 1
    VIEW = 2
    ADD_TO_CART = 3
    RETURN = 4
    HIDE = 5
    IMPRESSION = 6  # was shown: it is logged and counted, and stands in no history


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a user did with an item. `timestamp` is in microseconds since 1970, UTC. segment: of the shop's users,
    by which popularity is counted apart; it is not kept.
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


@dataclass(frozen=True, slots=True)
class History:
    """One user's events, oldest to newest, as columns of equal length n; events of unknown items are not in it.

    rows: int32, the items' rows in the bundle. timestamps: int64, microseconds since 1970 UTC.
    event_types: int8, values of `EventType`. quantities: float32.
    """

    rows: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    event_types: NDArray[np.int8]
    quantities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def purchases(self) -> NDArray[np.bool_]:
        """bool (n,): which events are purchases."""
        return np.asarray(self.event_types == EventType.PURCHASE)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "History":
        """The history of the events that `keep` picks: a mask, indices or a slice."""
        return History(self.rows[keep], self.timestamps[keep], self.event_types[keep], self.quantities[keep])

    @staticmethod
    def empty() -> "History":
        return History(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user, or the shop, wrote about the user: free text, and named attributes in the shop's order."""

    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Taste:
    """What a user has said of their taste. gifts: ids of items that were for somebody else. less_items, less_brands,
    less_categories (paths, or their beginnings): what the user wants to see less of.
    """

    gifts: frozenset[str] = frozenset()
    less_items: frozenset[str] = frozenset()
    less_brands: frozenset[str] = frozenset()
    less_categories: frozenset[str] = frozenset()

    def sorts(self) -> tuple[frozenset[str], ...]:
        """All that is said, sort by sort, in the order of the fields."""
        return self.gifts, self.less_items, self.less_brands, self.less_categories

    def changed(self, add: "Taste", remove: "Taste") -> "Taste":
        """This with some more said, and then some taken back."""
        each = zip(self.sorts(), add.sorts(), remove.sorts(), strict=True)
        return Taste(*((said | more) - less for said, more, less in each))


NO_TASTE = Taste()


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the catalogue. Its words are the seller's: untrusted.

    attributes: names and values; a name may have several values. Filters look at them, the towers do not.
    """

    item_id: str
    title: str
    brand: str = ""
    categories: tuple[str, ...] = ()
    price: float | None = None
    currency: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
