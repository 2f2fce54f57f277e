"""Requests and their answers, as frozen types with almost no behaviour."""

import enum
import time
import unicodedata
import zlib
from dataclasses import dataclass, replace

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.degradation import Degradation
from recsvc.domain.reason import Reason, ReasonGroup, Tone
from recsvc.domain.shop import Item

SEARCH_TEXT_LENGTH = 256  # characters; as many as the contract allows in a query


def search_text(text: str) -> str:
    """Returns the text of a search as it is logged, so that texts that a shopper takes for the same are equal.

    It is in Unicode's form NFKC and lower case, has single spaces, and is cut after SEARCH_TEXT_LENGTH characters.
    """
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())[:SEARCH_TEXT_LENGTH].rstrip()


class Surface(enum.Enum):
    """Which kind of list is asked for."""

    FOR_YOU = "for_you"  # the best items for the user
    SIMILAR = "similar"  # items like the one that the user is viewing
    CART = "cart"  # items that go with the items in the cart
    SEARCH = "search"  # items that match the words of a search
    BUY_AGAIN = "buy_again"  # items that the user bought and is likely to buy again now
    POPULAR = "popular"  # items that sell well, in the shop or in a segment of its users
    TRENDING = "trending"  # items that sell better now than before


class RepeatPolicy(enum.Enum):
    """Whether items that the user bought may be recommended again."""

    UNSPECIFIED = "unspecified"  # ALLOW, or EXCLUDE in a shop where nobody buys an item again
    ALLOW = "allow"  # they may, with their repeat bonus
    EXCLUDE = "exclude"  # never: only new items
    WHEN_DUE = "when_due"  # as ALLOW, but not before the usual interval of the item is over


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """A condition on one attribute of an item.

    Attributes:
        name: Of the attribute.
        values: The item must have one of them.
        exclude: True if the item must have none of them instead.
    """

    name: str
    values: frozenset[str]
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """A set of conditions; an item must meet all of them. An empty condition is met by every item.

    Attributes:
        categories: Paths, or beginnings of paths; the item's path must start with one of them.
        brands: The item must have one of them.
        min_price: Inclusive, in the shop's currency. An item of unknown price does not meet it.
        max_price: As `min_price`.
        attributes: The item must meet each of them.
        item_ids: The item must be one of them.
    """

    categories: frozenset[tuple[str, ...]] = frozenset()
    brands: frozenset[str] = frozenset()
    min_price: float | None = None
    max_price: float | None = None
    attributes: frozenset[AttributeFilter] = frozenset()
    item_ids: frozenset[str] = frozenset()

    def exclusions(self) -> "ItemFilter":
        """The conditions that exclude attributes. They hold even for items that backfill a short list."""
        return ItemFilter(attributes=frozenset(condition for condition in self.attributes if condition.exclude))


@dataclass(frozen=True, slots=True)
class Boost:
    """Raises or lowers the scores of some items.

    Attributes:
        filter: Which items.
        strength: -1 to 1, as a share of the score distance between the first item and the one just below the list.
    """

    filter: ItemFilter
    strength: float


@dataclass(frozen=True, slots=True)
class Pin:
    """Puts an item at a fixed position, 1 being the first, if the item may be shown."""

    item_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The shop's rules for a list.

    Attributes:
        boosts: Items whose scores are raised or lowered.
        buried: Items that come after all others.
        pins: Items at fixed positions.
        max_per_brand: Items of one brand; None for no limit.
        max_per_category: Items of one category path; None for no limit.
        diversity: 0 to 1; see `recsvc.pipeline.business_rules.cap_and_diversify`.
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
    """A ranking to continue on the next page.

    Attributes:
        recommendation_id: Id of the list.
        bundle_id: The bundle that made the ranking.
        item_ids: The whole ranking, best first.
        shown: How many of them were shown on earlier pages.
    """

    recommendation_id: str
    bundle_id: str
    item_ids: tuple[str, ...]
    shown: int


@dataclass(frozen=True, slots=True)
class Query:
    """A request for recommendations. Its limits are checked already.

    Attributes:
        user_id: The user.
        k: Items to return.
        surface: Kind of list.
        rules: The shop's rules for it.
        segment: Of the shop's users, for popularity; '' for the whole shop.
        text: Words of a search.
        placement: Where the list is shown; later events are counted by it.
        arm: Arm of an experiment; later events are counted by it.
        propensity: Share of the users who get the arm, above 0 to 1.
        exploration: See `recsvc.pipeline.exploration`.
        bundle_id: The bundle that shall answer; '' for the active one.
        paged: True if the caller will ask for more pages.
        page: The page that this one follows; None for the first.
        language: Of the reasons.
        excluded_item_ids: Items that must not be listed.
        candidates: Ids of the only items that may be listed; None for all.
        viewed: Ids of items viewed in this visit, oldest first.
        cart: Ids of items in the cart, oldest first.
        filter: Conditions on the items.
        backfill: True if other items follow when fewer than `k` meet `filter`.
        repeats: Whether items that the user bought may be listed.
        reasons: True if the list shall have reasons.
        tone: Of the reasons; None for the placement's.
        grouped: True if items of one cause shall also have a line together.
        time: When the list is shown, microseconds since 1970 UTC; None for now.
        min_freshness: Version of the user's record that the list must reflect; 0 for any.
        deadline: Event-loop time in seconds by which the answer must be sent; None for no deadline.
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
    grouped: bool = False
    time: int | None = None
    min_freshness: int = 0
    deadline: float | None = None

    def without(self, item_ids: frozenset[str]) -> "Query":
        """A copy with more items excluded."""
        return replace(self, excluded_item_ids=self.excluded_item_ids | item_ids)

    @property
    def seed(self) -> int:
        """Seed for the choice of words. It changes once a day: words that change at every reload look made up."""
        return zlib.crc32(f"{self.user_id}:{self.now // MICROSECONDS_A_DAY}".encode())

    @property
    def now(self) -> int:
        """When the list is shown, microseconds since 1970 UTC."""
        return self.time if self.time is not None else time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One item of a list.

    Attributes:
        item: The item.
        score: Of the list's scorer.
        rank: 1 is the first of the whole ranking, over all pages.
        reason: None if there is none.
        backfilled: True if the item does not meet the query's filter.
    """

    item: Item
    score: float
    rank: int
    reason: Reason | None = None
    backfilled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RecommendationList:
    """The answer to one query.

    Attributes:
        recommendation_id: Id of the list, which later events name.
        bundle_id: The bundle that answered.
        recommendations: Best first.
        personalised: False if popularity ranked the list.
        degraded: What the list lacks; empty if nothing.
        arm: Arm of an experiment.
        next_page: How to continue; None if there is no more.
        version: Version of the user's record; 0 if the list depends on more than the record.
        candidates: Ids that exploration chose among, in the order of the ranking before it; empty without exploration.
        reason_groups: Lines above items whose reasons name the same cause, if the query asked for them.
        corrected_query: The text of the search with corrected words; '' if none was corrected.
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
    reason_groups: tuple[ReasonGroup, ...] = ()
    corrected_query: str = ""


@dataclass(frozen=True, slots=True)
class SimilarItemList:
    """The items most similar to one item.

    Attributes:
        recommendation_id: Id of the list.
        bundle_id: The bundle that answered.
        neighbours: Nearest first.
    """

    recommendation_id: str
    bundle_id: str
    neighbours: tuple[Recommendation, ...]
