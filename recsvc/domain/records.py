"""What Redis holds, as types: of users, of items as the running shop changes them, of lists, and what is turned off."""

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.shop import NO_TASTE, Event, Item, Profile, Taste


class ItemField(enum.StrEnum):
    """What a shop sets of an item while the service runs."""

    PRICE = "price"  # of one, in the shop's currency; None where it is unknown
    STOCK = "stock"  # how many there are: a float that is whole
    DELETED = "deleted"  # 1: the item is in no list any more; 0: it is back
    CONTENT = "content"  # an ItemContent: its words


@dataclass(frozen=True, slots=True)
class ItemContent:
    """An item's words (of `item` the price means nothing), and the language model's embedding of them, (dim,).

    encoder: the fingerprint of that model's weights.
    """

    item: Item
    embedding: NDArray[np.float32] = field(compare=False)
    encoder: str


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One field of an item, as it was at `set_time` (as `Event.timestamp`): what was set last holds."""

    item_id: str
    field: ItemField
    set_time: int
    value: float | ItemContent | None


class Switch(NamedTuple):
    """Texts that an operator has turned off: those of a recipe, a language, a category (a path, or its beginning), all
    of which must fit, or, with a generator, its words in them. What is empty fits all.
    """

    recipe: str = ""
    language: str = ""
    category: str = ""
    generator: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedList:
    """A list as it was given. time: as in `Event.timestamp`. version: of the user's record, 0 where the list came from
    more than the record. propensity: the share of the users who get the arm. shown: how many items of earlier pages
    stand before these. items: ids and scores, best first. exploration: how likely each place explored; candidates: ids,
    what it explored among, in their order before; none where it did not.
    """

    recommendation_id: str
    user_id: str
    time: int
    version: int
    placement: str
    arm: str
    propensity: float
    bundle_id: str
    surface: str
    shown: int
    items: tuple[tuple[str, float], ...]
    exploration: float = 0.0
    candidates: tuple[str, ...] = ()

    @property
    def random(self) -> bool:
        """Whether chance had a part in it: then it says something of the lists that were not given."""
        return self.propensity < 1 or bool(self.candidates)


@dataclass(frozen=True, slots=True)
class UserRecord:
    """All that Redis holds of one user, read in one round trip.

    version: grows with every change of the history or profile; 0 when nothing is known.
    user_vector: float32, only when it was computed from this very version by the bundle that asks; known_events: how
    many of the events were of items that it knew then.
    """

    user_id: str
    version: int = 0
    events: tuple[Event, ...] = ()
    profile: Profile | None = None
    profile_embedding: NDArray[np.float32] | None = field(default=None, compare=False)
    taste: Taste = NO_TASTE
    user_vector: NDArray[np.float32] | None = field(default=None, compare=False)
    known_events: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasure:
    """What `delete_user` found and removed. existed: anything at all was held of the user. log_entries: events and
    lists. erased_at: microseconds since 1970 UTC, by the clock of Redis.
    """

    existed: bool
    log_entries: int
    history_events: int
    profile: bool
    user_vectors: int
    lists: int
    erased_at: int


@dataclass(frozen=True, slots=True)
class UserExport:
    """All that is held of a user. events: oldest first; one that stands in the history alone has no event_id.
    user_vectors: float32, 1-d, by bundle_id. lists: newest first.
    """

    profile: Profile | None
    events: tuple[Event, ...]
    user_vectors: dict[str, NDArray[np.float32]]
    taste: Taste = NO_TASTE
    lists: tuple[ServedList, ...] = ()
