"""The records that Redis holds: users, changes to items, served lists, switches."""

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.shop import NO_TASTE, Event, Item, Profile, Taste


class ItemField(enum.StrEnum):
    """The fields of an item that a shop sets while the service runs."""

    PRICE = "price"  # of one piece, in the shop's currency; None if unknown
    STOCK = "stock"  # pieces: a float without a fraction
    DELETED = "deleted"  # 1: the item is in no list; 0: it is listed again
    CONTENT = "content"  # an ItemContent: its words


@dataclass(frozen=True, slots=True)
class ItemContent:
    """The words of an item, and their embedding.

    Attributes:
        item: Has the words. Its price is not used.
        embedding: Of the item's text, float32 (dim,).
        encoder: Fingerprint of the weights of the text encoder.
    """

    item: Item
    embedding: NDArray[np.float32] = field(compare=False)
    encoder: str


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The value of one field of an item. The value with the latest `set_time` holds.

    Attributes:
        item_id: The item.
        field: The field.
        set_time: Microseconds since 1970 UTC.
        value: An ItemContent for ItemField.CONTENT, else a number; None for an unknown price.
    """

    item_id: str
    field: ItemField
    set_time: int
    value: float | ItemContent | None


class Switch(NamedTuple):
    """Texts that an operator has turned off: those that match every field. An empty field matches all.

    Attributes:
        recipe: Id of a recipe.
        language: One of `LANGUAGES`.
        category: Path of a category, or its beginning, of an item that the text mentions.
        generator: Name of a generator. The texts may still be worded by others.
    """

    recipe: str = ""
    language: str = ""
    category: str = ""
    generator: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedList:
    """A list as the user was shown it.

    Attributes:
        recommendation_id: Id of the list.
        user_id: The user.
        time: Microseconds since 1970 UTC.
        version: Version of the user's record; 0 if the list depends on more than the record.
        placement: Where it was shown.
        arm: Arm of an experiment.
        propensity: Share of the users who get the arm, above 0 to 1.
        bundle_id: The bundle that made it.
        surface: A value of `Surface`.
        shown: How many items earlier pages showed before these.
        items: Ids and scores, best first.
        exploration: Probability that a position explores, 0 to 1.
        candidates: Ids that exploration chose among, in the order of the ranking before it; empty without exploration.
        query: `search_text` of the search that the list answers; "" for another list, and unless searches are logged.
        corrected_query: The query with corrected words, which was answered; "" if none was corrected.
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
    query: str = ""
    corrected_query: str = ""

    @property
    def random(self) -> bool:
        """Whether the list was randomised, so that off-policy evaluation can use it."""
        return self.propensity < 1 or bool(self.candidates)

    @property
    def logged(self) -> bool:
        """Whether the list goes to the event log: it was randomised, or it answers a search."""
        return self.random or bool(self.query)


@dataclass(frozen=True, slots=True)
class UserRecord:
    """The stored state of one user, read in one round trip.

    Attributes:
        user_id: The user.
        version: Grows with every change of the history, profile or taste; 0 for an unknown user.
        events: Oldest first.
        profile: None if there is none.
        profile_embedding: Of the profile's text, float32 (dim,); None if there is none.
        taste: What the user has said.
        user_vector: Float32 (d,). None unless the bundle that reads computed it from this very version.
        known_events: Events whose items that bundle knew when it computed `user_vector`.
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
    """What `delete_user` removed.

    Attributes:
        existed: True if anything was stored of the user.
        log_entries: Events and lists in the event log.
        history_events: Events in the history.
        profile: True if there was a profile or a taste.
        user_vectors: Vectors in the user's record.
        lists: Lists kept for the user.
        erased_at: Microseconds since 1970 UTC, by Redis's clock.
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
    """Everything that is stored of a user.

    Attributes:
        profile: None if there is none.
        events: Oldest first. One that is in the history but no longer in the log has no event_id.
        user_vectors: Float32 (d,) each, by bundle_id.
        taste: What the user has said.
        lists: Newest first.
    """

    profile: Profile | None
    events: tuple[Event, ...]
    user_vectors: dict[str, NDArray[np.float32]]
    taste: Taste = NO_TASTE
    lists: tuple[ServedList, ...] = ()
