"""Works out which claim a piece of evidence permits. Both the page plan and the verifier go through it."""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

from recsvc.domain.reason import REASON_RECIPE, Evidence, EvidenceKind, Strength
from recsvc.domain.shop import CATEGORY_SEPARATOR, EventType, Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.seller_text.letter_case import within_a_sentence
from recsvc.reasons.seller_text.names import clean_label, clean_name
from recsvc.reasons.seller_text.sensitive import is_sensitive, is_sensitive_text
from recsvc.reasons.seller_text.word_lists import fold, read_sections

# Safety limits, whatever the evidence says. `recsvc.explain.relations` chooses evidence by limits of its own.
MIN_PEOPLE = 10  # buyers; people in a smaller group could be recognised
MIN_COHORT = 30  # buyers of an anchor; with fewer, those who also bought another item could be recognised
MIN_PREFERENCE = 2  # purchases of a brand, category or attribute; fewer show no preference
MIN_PURCHASES = 3  # of one item; fewer show no interval
MIN_INTERVAL_DAYS = 2

_CAUSAL, _CONTRIBUTORY, _RELATIONAL, _NEUTRAL = Strength
_QUOTED = "“{}”"

# The strength that the words may express: never above the evidence's own, and never above what its kind supports.
# A kind makes no claim at a strength that is not listed: a fact about one user is not NEUTRAL, true for everybody.
_WORDED: Mapping[EvidenceKind, Mapping[Strength, Strength]] = {
    EvidenceKind.REPEAT_PURCHASE: {_CAUSAL: _CAUSAL, _CONTRIBUTORY: _RELATIONAL, _RELATIONAL: _RELATIONAL},
    EvidenceKind.HISTORY_ITEM: {_CAUSAL: _CAUSAL, _CONTRIBUTORY: _CONTRIBUTORY, _RELATIONAL: _RELATIONAL},
    EvidenceKind.SIMILAR_ITEM: dict.fromkeys((_CAUSAL, _CONTRIBUTORY, _RELATIONAL), _RELATIONAL),
    EvidenceKind.BRAND: dict.fromkeys((_CAUSAL, _CONTRIBUTORY, _RELATIONAL), _RELATIONAL),
    EvidenceKind.CATEGORY: dict.fromkeys((_CAUSAL, _CONTRIBUTORY, _RELATIONAL), _RELATIONAL),
    EvidenceKind.CO_PURCHASE: dict.fromkeys((_CAUSAL, _CONTRIBUTORY, _RELATIONAL), _RELATIONAL),
    EvidenceKind.ATTRIBUTE: dict.fromkeys((_CAUSAL, _CONTRIBUTORY, _RELATIONAL), _RELATIONAL),
    EvidenceKind.REPEAT_INTERVAL: dict.fromkeys((_CAUSAL, _CONTRIBUTORY, _RELATIONAL), _RELATIONAL),
    EvidenceKind.PROFILE: dict.fromkeys(Strength, _NEUTRAL),
    EvidenceKind.POPULARITY: dict.fromkeys(Strength, _NEUTRAL),
}


_FORM_BY_EVENT = {
    EventType.PURCHASE: Form.PLAIN,
    EventType.VIEW: Form.VIEWED,
    EventType.ADD_TO_CART: Form.CART,
}

Slots = tuple[tuple[str, str], ...]
"""Names of slots, and the text that fills each."""


class Claim(NamedTuple):
    """A claim that evidence supports, with the exact text of its values. Hashable; it holds nothing of a user.

    Attributes:
        kind: Of the evidence.
        strength: How strong the words may be; at most that of the evidence.
        form: Which wording of the kind is needed.
        language: One of `LANGUAGES`.
        slots: Values by slot. The sentence states each exactly once.
        recipe: Id of the recipe whose words and rules apply.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    slots: Slots = ()
    recipe: str = REASON_RECIPE


def number_text(number: int, language: str) -> str:
    """`number` as a reader of `language` writes it: '1,312' in English, '1312' in Chinese."""
    return f"{number:,}" if language == "en" else str(number)


def times_text(count: int, language: str) -> str:
    """A frequency in words: 'twice', '5 times'; '两次', '5次'. `count` is 2 or more."""
    is_twice = count == 2  # noqa: PLR2004  both languages have a word for it
    if language == "en":
        return "twice" if is_twice else f"{number_text(count, language)} times"
    return "两次" if is_twice else f"{count}次"


def category_name(value: str) -> str:
    """The last name of a category path, cleaned and capitalised: 'Home > Kitchen > mugs' gives 'Mugs'."""
    name = clean_label(value.rsplit(">", 1)[-1])
    return name[:1].upper() + name[1:]


def attribute_name(value: str) -> str:
    """The value of an attribute, cleaned, in the case of running text: 'Navy Blue' gives 'navy blue'; 'PVC' stays."""
    return within_a_sentence(clean_label(value))


@functools.cache
def attribute_form(name: str) -> Form | None:
    """Which sort of word the values of the attribute `name` are; None if a reason may not mention them."""
    folded = fold(name).strip()
    for form, names in read_sections("attribute_names").items():
        if folded in map(fold, names):
            return Form(form)
    return None


def permitted_claim(evidence: Evidence, item: Item, language: str) -> Claim:
    """Works out what a reason for recommending `item` may claim from one piece of evidence.

    An anchor without a name that may be shown is referred to without its name.

    Args:
        evidence: The fact to state.
        item: The recommended item.
        language: One of `LANGUAGES`.

    Raises:
        ReasonRejected: By rule.
            'strength': this kind of evidence supports no claim at its strength.
            'sensitive': the item, the anchor or the value is private.
            'evidence': the numbers or values do not support the claim of this kind.
            'name': a brand, category, attribute or anchor has no name that may be shown.
    """
    kind = evidence.kind
    strength = _WORDED.get(kind, {}).get(evidence.strength)
    if strength is None:
        raise ReasonRejected("strength", f"{kind} says nothing at {evidence.strength}")
    if kind is not EvidenceKind.POPULARITY and is_sensitive(item):
        raise ReasonRejected("sensitive", "the item's purchase says something private")
    form, slots = _FORM_AND_SLOTS[kind](evidence, item, language, strength)
    return Claim(kind, strength, form, language, slots)


def _popularity(evidence: Evidence, _item: Item, language: str, _strength: Strength) -> tuple[Form, Slots]:
    if evidence.count < MIN_PEOPLE or evidence.days < 1:
        raise ReasonRejected("evidence", f"{evidence.count} people within {evidence.days} days")
    count, days = number_text(evidence.count, language), number_text(evidence.days, language)
    return Form.PLAIN, (("count", count), ("days", days))


def _repeat_purchase(evidence: Evidence, _item: Item, language: str, strength: Strength) -> tuple[Form, Slots]:
    if evidence.count < 1:
        raise ReasonRejected("evidence", "no purchase to repeat")
    times: Slots = (("times", times_text(evidence.count, language)),) if evidence.count > 1 else ()
    if evidence.elapsed < 1 or strength is not Strength.RELATIONAL:
        return (Form.MANY if times else Form.PLAIN), times
    elapsed = ("elapsed", number_text(evidence.elapsed, language))
    return (Form.MANY_AGO if times else Form.AGO), (*times, elapsed)


def _repeat_interval(evidence: Evidence, _item: Item, language: str, _strength: Strength) -> tuple[Form, Slots]:
    if evidence.count < MIN_PURCHASES or min(evidence.days, evidence.elapsed) < MIN_INTERVAL_DAYS:
        raise ReasonRejected("evidence", "too few purchases, or too close, to speak of an interval")
    days, elapsed = number_text(evidence.days, language), number_text(evidence.elapsed, language)
    return Form.PLAIN, (("days", days), ("elapsed", elapsed))


def _anchored(evidence: Evidence, item: Item, language: str, _strength: Strength) -> tuple[Form, Slots]:
    """The claim that relates the item to another one, the anchor."""
    anchor = evidence.anchor
    if anchor is None or anchor.item_id == item.item_id:
        raise ReasonRejected("evidence", "no other item to speak of")
    if evidence.kind is EvidenceKind.HISTORY_ITEM and not evidence.effect > 0:
        raise ReasonRejected("evidence", "leaving the anchor out does not lower the score")
    if is_sensitive(anchor):
        raise ReasonRejected("sensitive", "the anchor's purchase says something private")
    form = _FORM_BY_EVENT.get(evidence.event)
    if form is None:
        raise ReasonRejected("evidence", f"nothing is said of an item after {evidence.event.name.lower()}")
    name = clean_name(anchor.title, brand=anchor.brand)
    slots: Slots = (("item", _QUOTED.format(name)),)
    if evidence.kind is EvidenceKind.CO_PURCHASE:
        slots += _people(evidence, language)
    if name:
        return form, slots
    if form is not Form.PLAIN or evidence.kind is EvidenceKind.CO_PURCHASE:
        raise ReasonRejected("name", "the anchor has no name to show")
    return Form.UNNAMED, ()


def _people(evidence: Evidence, language: str) -> Slots:
    if evidence.count < MIN_PEOPLE or evidence.people < max(MIN_COHORT, evidence.count) or evidence.days < 1:
        raise ReasonRejected("evidence", f"{evidence.count} of {evidence.people} people within {evidence.days} days")
    numbers = (("count", evidence.count), ("people", evidence.people), ("days", evidence.days))
    return tuple((slot, number_text(number, language)) for slot, number in numbers)


def _profile(evidence: Evidence, item: Item, _language: str, _strength: Strength) -> tuple[Form, Slots]:
    """The claim that the profile raised the score. It quotes the profile's word if that word may be shown."""
    if not evidence.effect > 0:
        raise ReasonRejected("evidence", "the profile did not raise the score")
    name = attribute_name(evidence.value)
    if evidence.value and not any(evidence.value in category for category in item.categories):
        raise ReasonRejected("evidence", "no category of the item has that word")
    is_word = all(c.isalpha() or c in " -'&" for c in name)
    if not (name and is_word) or is_sensitive_text(evidence.value):
        return Form.PLAIN, ()
    return Form.MENTIONED, (("value", _QUOTED.format(name)),)


def _preference(evidence: Evidence, item: Item, language: str, _strength: Strength) -> tuple[Form, Slots]:
    """The claim that the user prefers a brand, a category or an attribute of the item."""
    if evidence.count < MIN_PREFERENCE:
        raise ReasonRejected("evidence", "too few purchases to speak of a preference")
    form, name = held_value(evidence, item)
    if is_sensitive_text(evidence.value):
        raise ReasonRejected("sensitive", "the name says something private")
    return form, (("count", number_text(evidence.count, language)), ("value", name))


_FORM_AND_SLOTS: Mapping[EvidenceKind, Callable[[Evidence, Item, str, Strength], tuple[Form, Slots]]] = {
    EvidenceKind.REPEAT_PURCHASE: _repeat_purchase,
    EvidenceKind.REPEAT_INTERVAL: _repeat_interval,
    EvidenceKind.HISTORY_ITEM: _anchored,
    EvidenceKind.SIMILAR_ITEM: _anchored,
    EvidenceKind.CO_PURCHASE: _anchored,
    EvidenceKind.BRAND: _preference,
    EvidenceKind.CATEGORY: _preference,
    EvidenceKind.ATTRIBUTE: _preference,
    EvidenceKind.PROFILE: _profile,
    EvidenceKind.POPULARITY: _popularity,
}


def held_value(evidence: Evidence, item: Item) -> tuple[Form, str]:
    """The brand, category or attribute of `item` that `evidence` names.

    Returns:
        The form that says which sort of word it is, and the name to show.

    Raises:
        ReasonRejected: 'evidence' if the item does not have it, 'name' if it has no name that may be shown.
    """
    value, form = evidence.value, Form.PLAIN
    if evidence.kind is EvidenceKind.BRAND:
        is_held, name = item.brand == value, clean_label(value)
    elif evidence.kind is EvidenceKind.ATTRIBUTE:
        form = attribute_form(evidence.name) or Form.PLAIN
        is_held, name = (evidence.name, value) in item.attributes and form is not Form.PLAIN, attribute_name(value)
    else:
        is_held = value in item.categories or value == CATEGORY_SEPARATOR.join(item.categories)
        name = category_name(value)
    if not value or not is_held:
        raise ReasonRejected("evidence", f"the item does not have that {evidence.kind}")
    if not name:
        raise ReasonRejected("name", f"the {evidence.kind} has no name to show")
    return form, name
