"""A pattern: a sentence with slots such as `{item}` for the values. Generators write patterns and nothing else."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from recsvc.domain.reason import REASON_RECIPE, EvidenceKind, Strength, Tone

SLOTS = ("item", "value", "count", "times", "days", "people", "elapsed")
SLOT = re.compile(r"\{(" + "|".join(SLOTS) + r")\}")
# Limits of the concise tone, which is for narrow tiles: words, or Chinese characters, and how many more for each slot.
_SHORT = {"en": (6, 1.5), "zh": (10, 2)}
_WORD = {"en": re.compile(r"\w+"), "zh": re.compile(r"\w")}


class Form(enum.StrEnum):
    """Which wording a claim of some kind and strength needs."""

    PLAIN = ""
    MANY = "many"  # states `count`, which is at least 2
    AGO = "ago"  # states `elapsed`, which is at least 1
    MANY_AGO = "many_ago"  # states both
    UNNAMED = "unnamed"  # the anchor has no name that may be shown
    VIEWED = "viewed"  # the user is looking at the anchor
    CART = "cart"  # the anchor is in the user's cart
    COLOUR = "colour"  # the value of an attribute is a colour
    MATERIAL = "material"
    STYLE = "style"
    USE = "use"
    MENTIONED = "mentioned"  # quotes `value`, a word of the profile
    TAIL = "tail"  # a second claim, behind another one
    NAMED = "named"  # the item's own name, `item`, stands beside the fact
    BUYERS_OF_BRAND = "buyers_of_brand"  # copy that addresses the buyers of a brand
    BUYERS_OF_CATEGORY = "buyers_of_category"


@dataclass(frozen=True, slots=True)
class PatternRequest:
    """Everything that a generator learns of a claim. It holds no seller text, no number and no user.

    Attributes:
        kind: Of the claim.
        strength: Of the claim.
        form: Of the claim.
        language: One of `LANGUAGES`.
        singular: Slots whose number is 1, for the plural rules.
        tone: Tone of the wording.
        recipe: Id of the recipe whose words and rules apply.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    singular: tuple[str, ...] = ()
    tone: Tone = Tone.NEUTRAL
    recipe: str = REASON_RECIPE


def is_short(pattern: str, language: str) -> bool:
    """Whether a pattern is short enough for the concise tone. The length of the values does not count."""
    limit, more_a_slot = _SHORT[language]
    words = len(_WORD[language].findall(SLOT.sub(" ", pattern)))
    return words <= limit + more_a_slot * len(SLOT.findall(pattern))


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """Replaces every slot by its value, in one pass, so that a value is never read as a slot.

    Raises:
        KeyError: A slot has no value.
    """
    return SLOT.sub(lambda slot: values[slot[1]], pattern)
