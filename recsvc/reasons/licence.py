"""What may be said of a piece of evidence: the gate that both the plan and the verifier go through."""

from collections.abc import Mapping
from typing import NamedTuple

from recsvc.domain import CATEGORY_SEPARATOR, Evidence, EvidenceKind, Item, Strength
from recsvc.errors import ReasonRejected
from recsvc.reasons.names import clean_name
from recsvc.reasons.pattern import Form
from recsvc.reasons.sensitive import is_sensitive, is_sensitive_text

MIN_PEOPLE = 10  # fewer buyers are no crowd, and could be recognised
MIN_PREFERENCE = 2  # purchases of a brand or category below which a number is no preference

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
    EvidenceKind.PROFILE: dict.fromkeys(Strength, _NEUTRAL),
    EvidenceKind.POPULARITY: dict.fromkeys(Strength, _NEUTRAL),
}


class Licence(NamedTuple):
    """A claim that evidence supports, down to the characters of its values; hashable, with no user in it.

    strength: the one to word it at. slots: the values by slot, each of which the sentence says exactly once.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    slots: tuple[tuple[str, str], ...] = ()


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


def licence(evidence: Evidence, item: Item, language: str) -> Licence:
    """What may be said in `language` of `evidence` for recommending `item`.

    Raises ReasonRejected: 'strength' where the kind says nothing at that strength, 'sensitive' where item or anchor
    touch what is private, 'evidence' where the evidence does not bear its own kind's claim, 'name' where a brand or
    category cannot be shown. An anchor that cannot be named is spoken of without its name.
    """
    kind = evidence.kind
    strength = _WORDED[kind].get(evidence.strength)
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
        return Licence(kind, strength, Form.PLAIN, language)
    if kind is EvidenceKind.REPEAT_PURCHASE:
        if evidence.count < 1:
            raise ReasonRejected("evidence", "no purchase to repeat")
        if evidence.count == 1:
            return Licence(kind, strength, Form.PLAIN, language)
        return Licence(kind, strength, Form.MANY, language, (("times", times_text(evidence.count, language)),))
    if kind in (EvidenceKind.BRAND, EvidenceKind.CATEGORY):
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
    name = clean_name(anchor.title)
    if not name:
        return Licence(evidence.kind, strength, Form.UNNAMED, language)
    return Licence(evidence.kind, strength, Form.PLAIN, language, (("item", _QUOTED.format(name)),))


def _preference(evidence: Evidence, item: Item, strength: Strength, language: str) -> Licence:
    value = evidence.value
    if evidence.count < MIN_PREFERENCE:
        raise ReasonRejected("evidence", "too few purchases to speak of a preference")
    if evidence.kind is EvidenceKind.BRAND:
        held, name = item.brand == value, clean_name(value)
    else:
        held, name = value in item.categories or value == CATEGORY_SEPARATOR.join(item.categories), category_name(value)
    if not value or not held:
        raise ReasonRejected("evidence", f"the item has not that {evidence.kind}")
    if not name:
        raise ReasonRejected("name", f"the {evidence.kind} has no name to show")
    if is_sensitive_text(value):
        raise ReasonRejected("sensitive", "the name says something private")
    slots = (("count", number_text(evidence.count, language)), ("value", name))
    return Licence(evidence.kind, strength, Form.PLAIN, language, slots)
