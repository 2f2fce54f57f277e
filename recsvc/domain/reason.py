"""Evidence, reasons and copy: the facts that a sentence may state, and the sentence."""

import enum
from dataclasses import dataclass

from recsvc.domain.shop import EventType, Item

LANGUAGES = ("en", "zh")
TEXT_SOURCES = ("realiser", "transformers", "openai")  # who may word a text
REASON_RECIPE = "reason.v1"  # what writes the sentence that goes with a recommendation


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
