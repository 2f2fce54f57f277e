"""The words of recsvc as types: what a request asks, what is known, what is answered. Frozen, nearly no behaviour."""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LANGUAGES = ("en", "zh")
TEXT_SOURCES = ("realiser", "transformers", "openai")  # who may word a text
CATEGORY_SEPARATOR = " > "  # between the parts of a path, where it is one string
REASON_RECIPE = "reason.v1"  # what writes the sentence that goes with a recommendation


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


class EvidenceKind(enum.StrEnum):
    """What sort of fact supports a recommendation. Each kind licenses its own claims and no others."""

    REPEAT_PURCHASE = "repeat_purchase"  # the user bought this very item before: `count` times
    HISTORY_ITEM = "history_item"  # an item of the history whose removal lowers the score: `anchor`
    SIMILAR_ITEM = "similar_item"  # an item of the history close in text: `anchor`; says nothing of the score
    BRAND = "brand"  # the user buys this brand more than others do: `value`, `count`, `lift`
    CATEGORY = "category"  # the same of a category: `value`, `count`, `lift`
    PROFILE = "profile"  # leaving the profile out lowers the score; it has `value`, a word of the item's categories
    POPULARITY = "popularity"  # `count` different people bought it within `days`
    CO_PURCHASE = "co_purchase"  # of `people` who bought `anchor` within `days`, `count` bought this too
    ATTRIBUTE = "attribute"  # the user buys what has this `name` of this `value` more than others do: `count`, `lift`
    REPEAT_INTERVAL = "repeat_interval"  # bought `count` times, about every `days`, `elapsed` days ago the last time
    NAME = "name"  # the item is called `value`: its title
    AUDIENCE = "audience"  # copy is for those who buy the `name`, "brand" or "category", that is called `value`


class Strength(enum.StrEnum):
    """How much a sentence may claim."""

    CAUSAL = "causal"  # without it the item would not be on this page
    CONTRIBUTORY = "contributory"  # it raises the score by a real share
    RELATIONAL = "relational"  # a true relation that need not have moved the score
    NEUTRAL = "neutral"  # true of the item, whoever asks


class Tone(enum.StrEnum):
    """How a reason is worded. None of them claims more than another."""

    NEUTRAL = "neutral"
    WARM = "warm"  # friendlier
    CONCISE = "concise"  # for narrow tiles: few words, and one claim


@dataclass(frozen=True, slots=True)
class Evidence:
    """One typed fact. Fields that a kind does not use keep their defaults.

    effect: how much the item's score falls when this is left out (score units; 0 where nothing is left out).
    share: effect over the sum of all positive effects on this item, 0 to 1. event: what the user did with the anchor:
    bought it, or is viewing it, or has it in the cart.
    """

    kind: EvidenceKind
    strength: Strength
    effect: float = 0.0
    share: float = 0.0
    anchor: Item | None = None
    value: str = ""
    count: int = 0
    days: int = 0
    lift: float = 0.0
    event: EventType = EventType.PURCHASE
    name: str = ""
    people: int = 0
    elapsed: int = 0


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who wrote a sentence, under which rules, and whether the verifier passed it."""

    generator: str
    model: str = ""
    recipe: str = REASON_RECIPE
    policy_version: str = ""
    ai_generated: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class ContentPart:
    """A verified piece of copy, one sentence or one point, and the facts it states."""

    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class ContentDraft:
    """What a recipe wrote of an item: `parts`, joined as its language joins them. It holds nothing of any user.

    human_review: somebody has to read it before a shopper does.
    """

    text: str
    language: str
    parts: tuple[ContentPart, ...]
    provenance: Provenance
    human_review: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """A verified sentence and the evidence it was made from. tone: that of its wording."""

    text: str
    language: str
    evidence: tuple[Evidence, ...]
    provenance: Provenance
    tone: Tone = Tone.NEUTRAL
