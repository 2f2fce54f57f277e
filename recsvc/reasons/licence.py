"""What may be said of a piece of evidence: the gate that both the plan and the verifier go through."""

import functools
from collections.abc import Mapping
from typing import NamedTuple

from recsvc.domain.reason import REASON_RECIPE, Evidence, EvidenceKind, Strength
from recsvc.domain.shop import CATEGORY_SEPARATOR, EventType, Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.seller_text.letter_case import within_a_sentence
from recsvc.reasons.seller_text.names import clean_name
from recsvc.reasons.seller_text.sensitive import is_sensitive, is_sensitive_text
from recsvc.reasons.seller_text.word_lists import fold, read_sections

MIN_PEOPLE = 10  # fewer buyers are no crowd, and could be recognised
MIN_COHORT = 30  # so could those of whom some bought another thing too
MIN_PREFERENCE = 2  # purchases of a brand or category below which a number is no preference
MIN_TIMES, MIN_INTERVAL = 3, 2  # purchases, and days, below which nothing is bought again and again

_CAUSAL, _CONTRIBUTORY, _RELATIONAL, _NEUTRAL = Strength
_QUOTED = "“{}”"

# The strength at which evidence is worded: never above its own, and never above what its kind can bear. A kind says
# nothing at a strength that is not listed: a fact about this user is not "true of the item, whoever asks".
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


# What the user does, or did, with an anchor.
_DONE = {EventType.PURCHASE: Form.PLAIN, EventType.VIEW: Form.VIEWED, EventType.ADD_TO_CART: Form.CART}


class Licence(NamedTuple):
    """A claim that evidence supports, down to the characters of its values; hashable, with no user in it.

    strength: the one to word it at. slots: the values by slot, each of which the sentence says exactly once. recipe:
    whose words and rules hold.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    slots: tuple[tuple[str, str], ...] = ()
    recipe: str = REASON_RECIPE


def number_text(number: int, language: str) -> str:
    """`number` as a reader of `language` writes it: '1,312' in English, '1312' in Chinese."""
    return f"{number:,}" if language == "en" else str(number)


def times_text(count: int, language: str) -> str:
    """`count`, 2 or more, as how often: 'twice', '5 times'; '两次', '5次'."""
    if language == "en":
        return "twice" if count == 2 else f"{number_text(count, language)} times"
    return "两次" if count == 2 else f"{count}次"


def category_name(value: str) -> str:
    """The last step of a category path, cleaned, with a capital: 'Home > Kitchen > mugs' to 'Mugs'."""
    name = clean_name(value.rsplit(">", 1)[-1])
    return name[:1].upper() + name[1:]


def attribute_name(value: str) -> str:
    """The value of an attribute, cleaned, as a word within a sentence: 'Navy Blue' to 'navy blue', but 'PVC' stays."""
    return within_a_sentence(clean_name(value))


@functools.cache
def attribute_form(name: str) -> Form | None:
    """What sort of word the values of an attribute of this name are; None where a reason may not name them."""
    folded = fold(name).strip()
    for form, names in read_sections("attribute_names").items():
        if folded in map(fold, names):
            return Form(form)
    return None


def licence(evidence: Evidence, item: Item, language: str) -> Licence:
    """What may be said in `language` of `evidence` for recommending `item`.

    Raises ReasonRejected: 'strength' where the kind says nothing at that strength, 'sensitive' where item or anchor
    touch what is private, 'evidence' where the evidence does not bear its own kind's claim, 'name' where a brand or
    category cannot be shown. An anchor that cannot be named is spoken of without its name.
    """
    kind = evidence.kind
    strength = _WORDED.get(kind, {}).get(evidence.strength)
    if strength is None:
        raise ReasonRejected("strength", f"{kind} says nothing at {evidence.strength}")
    if kind is EvidenceKind.POPULARITY:
        if evidence.count < MIN_PEOPLE or evidence.days < 1:
            raise ReasonRejected("evidence", f"{evidence.count} people within {evidence.days} days")
        count, days = number_text(evidence.count, language), number_text(evidence.days, language)
        return Licence(kind, strength, Form.PLAIN, language, (("count", count), ("days", days)))
    if is_sensitive(item):
        raise ReasonRejected("sensitive", "the item's purchase says something private")
    if kind is EvidenceKind.PROFILE:
        if not evidence.effect > 0:
            raise ReasonRejected("evidence", "the profile did not raise the score")
        return _mentioned(evidence, item, strength, language)
    if kind is EvidenceKind.REPEAT_PURCHASE:
        if evidence.count < 1:
            raise ReasonRejected("evidence", "no purchase to repeat")
        slots: tuple[tuple[str, str], ...] = ()
        if evidence.count > 1:
            slots += (("times", times_text(evidence.count, language)),)
        if evidence.elapsed < 1 or strength is not _RELATIONAL:
            return Licence(kind, strength, Form.MANY if slots else Form.PLAIN, language, slots)
        form = Form.MANY_AGO if slots else Form.AGO
        return Licence(kind, strength, form, language, (*slots, ("elapsed", number_text(evidence.elapsed, language))))
    if kind is EvidenceKind.REPEAT_INTERVAL:
        if evidence.count < MIN_TIMES or evidence.days < MIN_INTERVAL or evidence.elapsed < MIN_INTERVAL:
            raise ReasonRejected("evidence", "too few purchases, or too close, to speak of an interval")
        days, elapsed = number_text(evidence.days, language), number_text(evidence.elapsed, language)
        return Licence(kind, strength, Form.PLAIN, language, (("days", days), ("elapsed", elapsed)))
    if kind in (EvidenceKind.BRAND, EvidenceKind.CATEGORY, EvidenceKind.ATTRIBUTE):
        return _preference(evidence, item, strength, language)
    return _anchored(evidence, item, strength, language)


def _anchored(evidence: Evidence, item: Item, strength: Strength, language: str) -> Licence:
    anchor = evidence.anchor
    if anchor is None or anchor.item_id == item.item_id:
        raise ReasonRejected("evidence", "no other item to speak of")
    if evidence.kind is EvidenceKind.HISTORY_ITEM and not evidence.effect > 0:
        raise ReasonRejected("evidence", "leaving the anchor out does not lower the score")
    if is_sensitive(anchor):
        raise ReasonRejected("sensitive", "the anchor's purchase says something private")
    form = _DONE.get(evidence.event)
    if form is None:
        raise ReasonRejected("evidence", f"nothing is said of an item after {evidence.event.name.lower()}")
    name = clean_name(anchor.title)
    slots: tuple[tuple[str, str], ...] = (("item", _QUOTED.format(name)),)
    if evidence.kind is EvidenceKind.CO_PURCHASE:
        slots += _people(evidence, language)
    if name:
        return Licence(evidence.kind, strength, form, language, slots)
    if form is not Form.PLAIN or evidence.kind is EvidenceKind.CO_PURCHASE:
        raise ReasonRejected("name", "the anchor has no name to show")
    return Licence(evidence.kind, strength, Form.UNNAMED, language)


def _people(evidence: Evidence, language: str) -> tuple[tuple[str, str], ...]:
    if evidence.count < MIN_PEOPLE or evidence.people < max(MIN_COHORT, evidence.count) or evidence.days < 1:
        raise ReasonRejected("evidence", f"{evidence.count} of {evidence.people} people within {evidence.days} days")
    numbers = (("count", evidence.count), ("people", evidence.people), ("days", evidence.days))
    return tuple((slot, number_text(number, language)) for slot, number in numbers)


def _mentioned(evidence: Evidence, item: Item, strength: Strength, language: str) -> Licence:
    """With the word of the profile where there is one that may be said; otherwise it is said only that it was read."""
    name = attribute_name(evidence.value)
    if evidence.value and not any(evidence.value in category for category in item.categories):
        raise ReasonRejected("evidence", "no category of the item has that word")
    is_word = all(c.isalpha() or c in " -'&" for c in name)
    if not (name and is_word) or is_sensitive_text(evidence.value):
        return Licence(evidence.kind, strength, Form.PLAIN, language)
    return Licence(evidence.kind, strength, Form.MENTIONED, language, (("value", _QUOTED.format(name)),))


def _preference(evidence: Evidence, item: Item, strength: Strength, language: str) -> Licence:
    if evidence.count < MIN_PREFERENCE:
        raise ReasonRejected("evidence", "too few purchases to speak of a preference")
    form, name = held_value(evidence, item)
    if is_sensitive_text(evidence.value):
        raise ReasonRejected("sensitive", "the name says something private")
    slots = (("count", number_text(evidence.count, language)), ("value", name))
    return Licence(evidence.kind, strength, form, language, slots)


def held_value(evidence: Evidence, item: Item) -> tuple[Form, str]:
    """The brand, category or attribute of `item` that `evidence` names, as it is shown, and what sort of word it is.

    Raises ReasonRejected: 'evidence' where the item has it not, 'name' where it cannot be shown.
    """
    value, form = evidence.value, Form.PLAIN
    if evidence.kind is EvidenceKind.BRAND:
        held, name = item.brand == value, clean_name(value)
    elif evidence.kind is EvidenceKind.ATTRIBUTE:
        form = attribute_form(evidence.name) or Form.PLAIN
        held, name = (evidence.name, value) in item.attributes and form is not Form.PLAIN, attribute_name(value)
    else:
        held, name = value in item.categories or value == CATEGORY_SEPARATOR.join(item.categories), category_name(value)
    if not value or not held:
        raise ReasonRejected("evidence", f"the item has not that {evidence.kind}")
    if not name:
        raise ReasonRejected("name", f"the {evidence.kind} has no name to show")
    return form, name
