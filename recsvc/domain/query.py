"""What a request asks for, and what it is answered with. Frozen, nearly no behaviour."""

import enum
import time
import zlib
from dataclasses import dataclass, replace

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.reason import LANGUAGES, Reason, Tone
from recsvc.domain.shop import Item


class Surface(enum.Enum):
    """What sort of list."""

    FOR_YOU = "for_you"  # the best for the user
    SIMILAR = "similar"  # like the item whose page the user is on
    CART = "cart"  # what goes with what is in the cart
    SEARCH = "search"  # what has the words that the user looks for
    BUY_AGAIN = "buy_again"  # what the user bought and is likely to buy again about now
    POPULAR = "popular"  # what sells, in the shop or in a segment of its users
    TRENDING = "trending"  # what sells better these hours than it used to


class RepeatPolicy(enum.Enum):
    """Whether items of the history may be recommended again."""

    UNSPECIFIED = "unspecified"  # as the shop's people do: allowed, unless nobody there ever buys again
    ALLOW = "allow"  # they may, and gain their repeat score
    EXCLUDE = "exclude"  # never: discovery only
    WHEN_DUE = "when_due"  # as ALLOW, but not before the time after which people buy the item again


class Degradation(enum.Enum):
    """What a response had to do without. An empty list means: nothing."""

    STALE = "stale"  # the events that the caller asked to be in it are not
    STORE_UNAVAILABLE = "store_unavailable"  # Redis away: the history is the last one this process saw, or none
    REASONS_DROPPED = "reasons_dropped"  # the deadline left no time for them


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """Lets pass what has any of the values of an attribute; with `exclude`, what has none of them."""

    name: str
    values: frozenset[str]
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items are meant; what is empty lets all pass.

    categories: paths, or their beginnings; an item of any of them passes. brands: so with these. min_price, max_price:
    both inclusive, in the shop's currency; an item of unknown price passes neither. attributes: all must let it pass.
    item_ids: these alone.
    """

    categories: frozenset[tuple[str, ...]] = frozenset()
    brands: frozenset[str] = frozenset()
    min_price: float | None = None
    max_price: float | None = None
    attributes: frozenset[AttributeFilter] = frozenset()
    item_ids: frozenset[str] = frozenset()

    def unyielding(self) -> "ItemFilter":
        """What of it holds even for items that fill up a short list: what must not be shown."""
        return ItemFilter(attributes=frozenset(wanted for wanted in self.attributes if wanted.exclude))


@dataclass(frozen=True, slots=True)
class Boost:
    """Raises the scores of some items, or lowers them. strength: -1 to 1, of the distance from a list's first to what
    is just below it.
    """

    filter: ItemFilter
    strength: float


@dataclass(frozen=True, slots=True)
class Pin:
    """An item that stands at a place, 1 being the first, wherever it may be shown at all."""

    item_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What a shop wants of a list beside good scores.

    buried: what comes after all else. max_per_brand, max_per_category: how many items of one (a category being the
    whole path); None for any number. diversity: 0 to 1, see `recsvc.pipeline.business_rules.pick`.
    """

    boosts: tuple[Boost, ...] = ()
    buried: tuple[ItemFilter, ...] = ()
    pins: tuple[Pin, ...] = ()
    max_per_brand: int | None = None
    max_per_category: int | None = None
    diversity: float = 0.0


NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class Page:
    """A ranking that is kept as it was made, and how much of it was shown. bundle_id: of the bundle that made it."""

    recommendation_id: str
    bundle_id: str
    item_ids: tuple[str, ...]
    shown: int


@dataclass(frozen=True, slots=True)
class Query:
    """A request for recommendations, checked against the limits. `time` as in `Event.timestamp`; None means now.

    candidates: ids, the only items that may be listed; None for all. viewed, cart: ids, of this visit, oldest first.
    text: what the user looks for. segment: of the shop's users, by which popularity is counted apart. backfill: when
    `filter` lets fewer than k pass, others follow. min_freshness: the version of the user's record that the list must
    have seen. placement, arm: by which the shop will count what becomes of the list; propensity: the share of users in
    the arm. exploration: see `recsvc.pipeline.exploration`. bundle_id: the bundle to ask, '' for the active one.
    paged: more will be asked for; page: what it goes on from. tone: of the reasons, None for the placement's.
    """

    user_id: str
    k: int
    surface: Surface = Surface.FOR_YOU
    rules: Rules = NO_RULES
    segment: str = ""
    text: str = ""
    placement: str = ""
    arm: str = ""
    propensity: float = 1.0
    exploration: float = 0.0
    bundle_id: str = ""
    paged: bool = False
    page: Page | None = None
    language: str = "en"
    excluded_item_ids: frozenset[str] = frozenset()
    candidates: tuple[str, ...] | None = None
    viewed: tuple[str, ...] = ()
    cart: tuple[str, ...] = ()
    filter: ItemFilter = ItemFilter()
    backfill: bool = False
    repeats: RepeatPolicy = RepeatPolicy.UNSPECIFIED
    reasons: bool = True
    tone: Tone | None = None
    time: int | None = None
    min_freshness: int = 0
    deadline: float | None = None  # event-loop time by which the answer must be out

    def without(self, item_ids: frozenset[str]) -> "Query":
        """The same, with these items excluded too."""
        return replace(self, excluded_item_ids=self.excluded_item_ids | item_ids)

    @property
    def seed(self) -> int:
        """Of the choice of words: a page that rewords itself at every reload looks made up, so it holds all day."""
        return zlib.crc32(f"{self.user_id}:{self.now // MICROSECONDS_A_DAY}".encode())

    @property
    def now(self) -> int:
        """When the list is shown."""
        return self.time if self.time is not None else time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Recommendation:
    item: Item
    score: float
    rank: int
    reason: Reason | None = None
    backfilled: bool = False  # the filter would not have let it pass


@dataclass(frozen=True, kw_only=True, slots=True)
class RecommendationList:
    """What one query is answered with. Not `personalised` means popularity ranked it. next_page: where more may follow.
    version: of the user's record, 0 where the list came from more than the record. candidates: ids, in their order
    before some of the list's places explored.
    """

    recommendation_id: str
    bundle_id: str
    recommendations: tuple[Recommendation, ...]
    personalised: bool
    degraded: tuple[Degradation, ...] = ()
    arm: str = ""
    next_page: Page | None = None
    version: int = 0
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SimilarItemList:
    """The neighbours of an item, nearest first."""

    recommendation_id: str
    bundle_id: str
    neighbours: tuple[Recommendation, ...]


@dataclass(frozen=True, slots=True)
class ContentRequest:
    """recipe: its id. audience: "brand" or "category", and which; None: everybody. variant: the number of the first
    draft. drafts: how many.
    """

    recipe: str
    item_id: str
    language: str = LANGUAGES[0]
    audience: tuple[str, str] | None = None
    variant: int = 0
    drafts: int = 1
