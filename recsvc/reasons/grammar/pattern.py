"""A pattern: a sentence with slots like `{item}` for the values. All that a generator writes."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from recsvc.domain.reason import REASON_RECIPE, EvidenceKind, Strength, Tone

SLOTS = ("item", "value", "count", "times", "days", "people", "elapsed")
SLOT = re.compile(r"\{(" + "|".join(SLOTS) + r")\}")
# What fits into a narrow tile: so many words, or Chinese characters, and so many more for each value between them.
_SHORT = {"en": (6, 1.5), "zh": (10, 2)}
_WORD = {"en": re.compile(r"\w+"), "zh": re.compile(r"\w")}


class Form(enum.StrEnum):
    """What a cell of kind and strength needs beside its plain wording."""

    PLAIN = ""
    MANY = "many"  # `count` is at least 2: the number may be said
    AGO = "ago"  # `elapsed` is at least 1: so may that number
    MANY_AGO = "many_ago"
    UNNAMED = "unnamed"  # the anchor has no name that may be shown
    VIEWED = "viewed"  # the user is looking at the anchor
    CART = "cart"  # the anchor is in the user's cart
    COLOUR = "colour"  # what sort of word the value of an attribute is
    MATERIAL = "material"
    STYLE = "style"
    USE = "use"
    MENTIONED = "mentioned"  # the profile has the `value`
    TAIL = "tail"  # what follows another sentence
    NAMED = "named"  # `item`, here the item's own name, stands beside the fact
    BUYERS_OF_BRAND = "buyers_of_brand"  # whom copy addresses
    BUYERS_OF_CATEGORY = "buyers_of_category"


@dataclass(frozen=True, slots=True)
class PatternRequest:
    """What a generator is told: which claim, in which language and tone. No seller text, no number, no user.

    singular: the slots whose number is 1, for plurals. recipe: whose words and rules.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    singular: tuple[str, ...] = ()
    tone: Tone = Tone.NEUTRAL
    recipe: str = REASON_RECIPE


def is_short(pattern: str, language: str) -> bool:
    """Whether a pattern is short enough for the concise tone, beside the values in it."""
    words, more = _SHORT[language]
    said = len(_WORD[language].findall(SLOT.sub(" ", pattern)))
    return said <= words + more * len(SLOT.findall(pattern))


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """`pattern` with every slot replaced, in one pass: a value is never read as a slot.

    Raises KeyError for a slot without a value.
    """
    return SLOT.sub(lambda slot: values[slot[1]], pattern)
