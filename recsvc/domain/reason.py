"""Evidence, reasons and copy: the facts that a sentence may state, and the sentences."""

import enum
from dataclasses import KW_ONLY, dataclass, field

from recsvc.domain.shop import EventType, Item

LANGUAGES = ("en", "zh")
TEXT_SOURCES = ("realiser", "transformers", "openai")  # names of generators and authors
REASON_RECIPE = "reason.v1"  # recipe of the sentence beside a recommendation


class EvidenceKind(enum.StrEnum):
    """The kinds of facts. Each kind permits its own claims and no others. Words in backticks are fields of Evidence."""

    REPEAT_PURCHASE = "repeat_purchase"  # the user bought this item before: `count` times
    HISTORY_ITEM = "history_item"  # removing `anchor` from the history lowers the score
    SIMILAR_ITEM = "similar_item"  # `anchor`, of the history, has a similar text; this says nothing about the score
    BRAND = "brand"  # the user buys the brand `value` more than others do: `count`, `lift`
    CATEGORY = "category"  # the same for the category `value`
    PROFILE = "profile"  # removing the profile lowers the score. `value`: a phrase of it, of its attribute `name`
    POPULARITY = "popularity"  # `count` different people bought the item within `days`
    CO_PURCHASE = "co_purchase"  # of `people` who bought `anchor` within `days`, `count` bought the item too
    ATTRIBUTE = "attribute"  # as BRAND, for items whose attribute `name` is `value`
    REPEAT_INTERVAL = "repeat_interval"  # bought `count` times, every `days` or so; last `elapsed` days ago
    NAME = "name"  # the item's title is `value`
    AUDIENCE = "audience"  # copy addresses the buyers of the brand or category (`name`) `value`
    SYNONYM = "synonym"  # the operator's synonyms say that `value` means the same as the item's category `name`
    QUERY = "query"  # `count` different people searched for `value` and bought the item within `days`


# The kinds that copy alone states, and no reason.
COPY_KINDS = frozenset({EvidenceKind.NAME, EvidenceKind.AUDIENCE, EvidenceKind.SYNONYM, EvidenceKind.QUERY})


class Strength(enum.StrEnum):
    """How much a sentence may claim, from most to least."""

    CAUSAL = "causal"  # without the fact the item would not be on this page
    CONTRIBUTORY = "contributory"  # the fact raises the score by a real share
    RELATIONAL = "relational"  # the relation is true, but may not have changed the score
    NEUTRAL = "neutral"  # true of the item for every user


class Tone(enum.StrEnum):
    """The tone of a reason. No tone claims more than another."""

    NEUTRAL = "neutral"
    WARM = "warm"  # friendlier
    CONCISE = "concise"  # for narrow tiles: a short sentence, one claim


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact about an item. A field that its kind does not use keeps its default.

    Attributes:
        kind: Kind of fact.
        strength: The most that a sentence may claim from it.
        effect: How much the item's score falls without the fact, in score units; 0 if that is not known.
        share: `effect` divided by the sum of all positive effects on this item, 0 to 1.
        anchor: Another item that the fact is about.
        value: A brand, category, attribute value, phrase of the profile or title, as it was written.
        count: Purchases or people, see the kind.
        days: Length of a window, or of an interval between purchases.
        lift: How much more often the user buys it than others do; 1 is as often.
        event: What the user did with the anchor: bought it, looked at it in this visit, or has it in the cart.
        name: Of an attribute, of the item or of the profile; or "brand" or "category"; or a category.
        people: Buyers of the anchor.
        elapsed: Days since the last purchase.
    """

    kind: EvidenceKind
    strength: Strength
    _: KW_ONLY
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
    """Where a text comes from.

    Attributes:
        generator: Name of the generator or author that worded it.
        model: Language model and revision; empty if none was used.
        recipe: Id of the recipe.
        policy_version: Version of the policy it was verified under.
        ai_generated: True if a language model chose the words.
        verified: True if the verifier accepted it.
    """

    generator: str
    model: str = ""
    recipe: str = REASON_RECIPE
    policy_version: str = ""
    ai_generated: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class ContentPart:
    """One sentence or point of a piece of copy. It is verified.

    Attributes:
        text: The sentence.
        evidence: The facts that it states.
    """

    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class ContentDraft:
    """A piece of copy about an item. It holds nothing of any user.

    Attributes:
        text: The parts, joined.
        language: One of `LANGUAGES`.
        parts: In order.
        provenance: Where the text comes from.
        human_review: True if a person has to read it before a shopper does.
    """

    text: str
    language: str
    parts: tuple[ContentPart, ...]
    provenance: Provenance
    human_review: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """One or two verified sentences that say why an item is recommended.

    Attributes:
        text: The sentences.
        language: One of `LANGUAGES`.
        evidence: The facts that they state, one or two.
        provenance: Where the text comes from.
        tone: Tone of the wording that was used.
        encoded: Its message in bytes, for the pages that are shown again; b"" until it is first encoded.
    """

    text: str
    language: str
    evidence: tuple[Evidence, ...]
    provenance: Provenance
    tone: Tone = Tone.NEUTRAL
    encoded: bytes = field(default=b"", init=False, repr=False, compare=False)

    def keep_encoded(self, encoded: bytes) -> None:
        """Keeps the bytes of its message for as long as the reason itself is kept."""
        object.__setattr__(self, "encoded", encoded)


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """A verified line above two or more items of a list whose reasons name the same cause.

    Attributes:
        text: The line, without a full stop.
        item_ids: The items, best first.
        evidence: For each item, the fact that its reason states first.
    """

    text: str
    item_ids: tuple[str, ...]
    evidence: tuple[Evidence, ...]
