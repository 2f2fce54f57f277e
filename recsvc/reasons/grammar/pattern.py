"""A pattern: a sentence with slots such as `{item}` for the values. Generators write patterns and nothing else."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from recsvc.domain.reason import REASON_RECIPE, EvidenceKind, Strength, Tone

SLOTS = ("item", "value", "times", "count", "people", "ago", "since", "every", "period")
SLOT = re.compile(r"\{(" + "|".join(SLOTS) + r")\}")


class Form(enum.StrEnum):
    """Which wording a claim of some kind and strength needs."""

    PLAIN = ""
    MANY = "many"  # states how many times
    AGO = "ago"  # states how long ago
    MANY_AGO = "many_ago"  # states both
    VIEWED = "viewed"  # the user looked at the anchor in this visit
    CART = "cart"  # the anchor is in the user's cart
    COLOUR = "colour"  # the value of an attribute is a colour
    MATERIAL = "material"
    STYLE = "style"
    USE = "use"
    DEPARTMENT = "department"  # the name of the category is no word for things that are bought
    LIKES = "likes"  # the profile states `value` as something that the user likes
    MENTIONED = "mentioned"  # quotes `value`, a phrase of the profile
    GROUP = "group"  # a line above several items that have the same cause
    GROUP_VIEWED = "group_viewed"
    GROUP_CART = "group_cart"
    NAMED = "named"  # the item's own name, `item`, stands beside the fact
    BUYERS_OF_BRAND = "buyers_of_brand"  # copy that addresses the buyers of a brand
    BUYERS_OF_CATEGORY = "buyers_of_category"


class Number(enum.StrEnum):
    """The grammatical number of the item shown: "this" or "these". Chinese has no such forms and is always ONE."""

    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class PatternRequest:
    """Everything that a generator learns of a claim. It holds no seller text, no number and no user.

    Attributes:
        kind: Of the claim.
        strength: Of the claim.
        form: Of the claim.
        language: One of `LANGUAGES`.
        tone: Tone of the wording.
        recipe: Id of the recipe whose words and rules apply.
        number: Of the item shown.
        article: Whether "the" may stand before the other item's name.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    tone: Tone = Tone.NEUTRAL
    recipe: str = REASON_RECIPE
    number: Number = Number.ONE
    article: bool = True


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """Replaces every slot by its value, in one pass, so that a value is never read as a slot.

    Raises:
        KeyError: A slot has no value.
    """
    return SLOT.sub(lambda slot: values[slot[1]], pattern)
