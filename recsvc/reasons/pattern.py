"""A pattern: a sentence with slots like `{item}` for the values. All that a generator writes."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from recsvc.domain import REASON_RECIPE, EvidenceKind, Strength

SLOTS = ("item", "value", "count", "times", "days", "people", "elapsed")
SLOT = re.compile(r"\{(" + "|".join(SLOTS) + r")\}")


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
    TAIL = "tail"  # what follows another sentence
    NAMED = "named"  # `item`, here the item's own name, stands beside the fact
    BUYERS_OF_BRAND = "buyers_of_brand"  # whom copy addresses
    BUYERS_OF_CATEGORY = "buyers_of_category"


@dataclass(frozen=True, slots=True)
class PatternRequest:
    """What a generator is told: which claim, in which language. No seller text, no number, no user.

    singular: the slots whose number is 1, for plurals. recipe: whose words and rules.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    singular: tuple[str, ...] = ()
    recipe: str = REASON_RECIPE


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """`pattern` with every slot replaced, in one pass: a value is never read as a slot.

    Raises KeyError for a slot without a value.
    """
    return SLOT.sub(lambda slot: values[slot[1]], pattern)
