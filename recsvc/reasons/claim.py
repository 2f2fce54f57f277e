"""Works out which claim a piece of evidence permits. Both the page plan and the verifier go through it."""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

from recsvc.domain.reason import REASON_RECIPE, Evidence, EvidenceKind, Strength, Tone
from recsvc.domain.shop import CATEGORY_SEPARATOR, EventType, Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.amounts import ago_text, every_text, number_text, period_text, since_text, times_text
from recsvc.reasons.concise import name_width
from recsvc.reasons.grammar.pattern import Form, Number
from recsvc.reasons.seller_text.item_nouns import is_plural, may_be_plural, takes_article
from recsvc.reasons.seller_text.letter_case import within_a_sentence
from recsvc.reasons.seller_text.liking import can_be_shown, is_liking, liked_thing, states_aversion
from recsvc.reasons.seller_text.names import clean_label, clean_name, display_width
from recsvc.reasons.seller_text.nouns import has_words_of, names_activity_or_things, names_things
from recsvc.reasons.seller_text.sensitive import is_sensitive, is_sensitive_text
from recsvc.reasons.seller_text.word_lists import fold, negations, read_sections

# Safety limits, whatever the evidence says. `recsvc.explain.relations` chooses evidence by limits of its own.
MIN_PEOPLE = 10  # buyers; people in a smaller group could be recognised
MIN_COHORT = 30  # buyers of an anchor; with fewer, those who also bought another item could be recognised
MIN_PREFERENCE = 2  # purchases of a brand, category or attribute; fewer show no preference
MIN_PURCHASES = 3  # of one item; fewer show no interval
MIN_INTERVAL_DAYS = 2
MAX_PHRASE_WIDTH = 24  # columns of a phrase of the profile; a longer one is a sentence of its own
MAX_PHRASE_WORDS = 4

_CAUSAL, _CONTRIBUTORY, _RELATIONAL, _NEUTRAL = Strength
_QUOTED = "“{}”"

# The strength that the words may express: never above the evidence's own, and never above what its kind supports.
# A kind makes no claim at a strength that is not listed: a fact about one user is not NEUTRAL, true for everybody.
_WORDED: Mapping[EvidenceKind, Mapping[Strength, Strength]] = {
    EvidenceKind.REPEAT_PURCHASE: dict.fromkeys((_CAUSAL, _CONTRIBUTORY, _RELATIONAL), _RELATIONAL),
    EvidenceKind.HISTORY_ITEM: {_CAUSAL: _CAUSAL, _CONTRIBUTORY: _CONTRIBUTORY},
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
        number: Of the item shown: a sentence says "this" or "these".
        article: Whether "the" suits the other item's name: not before a plural, a mass noun, or an article of its own.
    """

    kind: EvidenceKind
    strength: Strength
    form: Form
    language: str
    slots: Slots = ()
    recipe: str = REASON_RECIPE
    number: Number = Number.ONE
    article: bool = True


def category_name(value: str) -> str:
    """The last name of a category path, cleaned and capitalised: 'Home > Kitchen > mugs' gives 'Mugs'."""
    name = clean_label(value.rsplit(">", 1)[-1])
    return name[:1].upper() + name[1:] if name.partition(" ")[0].islower() else name


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


def permitted_claim(evidence: Evidence, item: Item, language: str, tone: Tone = Tone.NEUTRAL) -> Claim:
    """Works out what a reason for recommending `item` may claim from one piece of evidence.

    Args:
        evidence: The fact to state.
        item: The recommended item.
        language: One of `LANGUAGES`.
        tone: A concise sentence has shorter names.

    Raises:
        ReasonRejected: By rule.
            'strength': this kind of evidence supports no claim at its strength.
            'sensitive': the item, the anchor or the value is private.
            'evidence': the numbers or values do not support the claim of this kind.
            'name': a brand, category, attribute, phrase or anchor has no name that may be shown in this language.
    """
    kind = evidence.kind
    strength = _WORDED.get(kind, {}).get(evidence.strength)
    if strength is None:
        raise ReasonRejected("strength", f"{kind} says nothing at {evidence.strength}")
    if kind is not EvidenceKind.POPULARITY and is_sensitive(item):
        raise ReasonRejected("sensitive", "the item's purchase says something private")
    form, slots = _FORM_AND_SLOTS[kind](evidence, item, language, tone)
    number, article = _agreement(slots, item, evidence.anchor) if language == "en" else (Number.ONE, True)
    return Claim(kind, strength, form, language, slots, number=number, article=article)


def _agreement(slots: Slots, item: Item, anchor: Item | None) -> tuple[Number, bool]:
    """The grammatical number of the item shown, and whether "the" suits the anchor's name."""
    article = True
    if anchor is not None and (name := dict(slots).get("item")):
        article = takes_article(name.strip("“”"), anchor.brand, anchor.categories)
    return _number(item.title, item.brand, item.categories), article


@functools.lru_cache(maxsize=100_000)
def _number(title: str, brand: str, categories: tuple[str, ...]) -> Number:
    if not may_be_plural(title):  # saves the work of cleaning the name
        return Number.ONE
    return Number.MANY if is_plural(clean_name(title, brand=brand), brand, categories) else Number.ONE


def _popularity(evidence: Evidence, _item: Item, language: str, _tone: Tone) -> tuple[Form, Slots]:
    if evidence.count < MIN_PEOPLE or evidence.days < 1:
        raise ReasonRejected("evidence", f"{evidence.count} people within {evidence.days} days")
    count, period = number_text(evidence.count, language), period_text(evidence.days, language)
    return Form.PLAIN, (("count", count), ("period", period))


def _repeat_purchase(evidence: Evidence, _item: Item, language: str, _tone: Tone) -> tuple[Form, Slots]:
    if evidence.count < 1:
        raise ReasonRejected("evidence", "no purchase to repeat")
    times: Slots = (("times", times_text(evidence.count, language)),) if evidence.count > 1 else ()
    if evidence.elapsed < 1:
        return (Form.MANY if times else Form.PLAIN), times
    return (Form.MANY_AGO if times else Form.AGO), (*times, ("ago", ago_text(evidence.elapsed, language)))


def _repeat_interval(evidence: Evidence, _item: Item, language: str, _tone: Tone) -> tuple[Form, Slots]:
    if evidence.count < MIN_PURCHASES or min(evidence.days, evidence.elapsed) < MIN_INTERVAL_DAYS:
        raise ReasonRejected("evidence", "too few purchases, or too close, to speak of an interval")
    every, since = every_text(evidence.days, language), since_text(evidence.elapsed, evidence.days, language)
    if evidence.elapsed < evidence.days or since.endswith(every):
        raise ReasonRejected("evidence", "nothing is gained by comparing the last purchase with the interval")
    return Form.PLAIN, (("every", every), ("since", since))


def _anchored(evidence: Evidence, item: Item, language: str, tone: Tone) -> tuple[Form, Slots]:
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
    width = name_width(tone)
    name = clean_name(anchor.title, width, anchor.brand)
    if name and name.casefold() in item.title.casefold():
        # "Wicker Heart" is no name for the small one beside the large one.
        name = clean_label(anchor.title, width)
    if not name:
        raise ReasonRejected("name", "the anchor has no name to show")
    slots: Slots = (("item", _QUOTED.format(name)),)
    return form, slots + _people(evidence, language) if evidence.kind is EvidenceKind.CO_PURCHASE else slots


def _people(evidence: Evidence, language: str) -> Slots:
    if evidence.count < MIN_PEOPLE or evidence.people < max(MIN_COHORT, evidence.count) or evidence.days < 1:
        raise ReasonRejected("evidence", f"{evidence.count} of {evidence.people} people within {evidence.days} days")
    numbers = (("count", evidence.count), ("people", evidence.people))
    counts = tuple((slot, number_text(number, language)) for slot, number in numbers)
    return (*counts, ("period", period_text(evidence.days, language)))


def _profile(evidence: Evidence, _item: Item, language: str, _tone: Tone) -> tuple[Form, Slots]:
    """The claim that a phrase of the profile raised the score: something that the user likes, or a quotation."""
    if not evidence.effect > 0:
        raise ReasonRejected("evidence", "the profile did not raise the score")
    if is_sensitive_text(evidence.value) or is_sensitive_text(evidence.name):
        raise ReasonRejected("sensitive", "the phrase says something private")
    if states_aversion(evidence.value):
        raise ReasonRejected("evidence", "the profile says that it is not liked")
    liked = liked_thing(evidence.value)
    phrase = _phrase(liked or evidence.value)
    is_plain = has_words_of(phrase, language) and negations(language).find(phrase) is None
    if (liked or is_liking(evidence.name)) and is_plain and names_activity_or_things(phrase, language):
        return Form.LIKES, (("value", phrase),)
    if not phrase or not can_be_shown(evidence.name, evidence.value):
        raise ReasonRejected("name", "the profile has no phrase to show")
    return Form.MENTIONED, (("value", _QUOTED.format(phrase)),)


@functools.lru_cache(maxsize=20_000)
def _phrase(text: str) -> str:
    """A phrase of a profile as a sentence shows it; '' if it is long, or has anything but words."""
    phrase = attribute_name(text)
    is_words = all(c.isalpha() or c in " -'’&" for c in phrase)
    is_short = display_width(text.strip()) <= MAX_PHRASE_WIDTH and len(phrase.split()) <= MAX_PHRASE_WORDS
    return phrase if is_words and is_short else ""


def _is_leaf(category: str, item: Item) -> bool:
    return category in (item.categories[-1], CATEGORY_SEPARATOR.join(item.categories))


def _preference(evidence: Evidence, item: Item, language: str, _tone: Tone) -> tuple[Form, Slots]:
    """The claim that the user prefers a brand, a category or an attribute of the item."""
    if evidence.count < MIN_PREFERENCE:
        raise ReasonRejected("evidence", "too few purchases to speak of a preference")
    form, name = held_value(evidence, item)
    if is_sensitive_text(evidence.value):
        raise ReasonRejected("sensitive", "the name says something private")
    if evidence.kind is not EvidenceKind.BRAND and not has_words_of(name, language):
        raise ReasonRejected("name", f"the name of the {evidence.kind} is in another language")
    if evidence.kind is EvidenceKind.CATEGORY:
        # "Guitars" above a leaf "Guitar Strings" holds more than guitars, so nobody is told that they bought guitars.
        if names_things(name, language) and _is_leaf(evidence.value, item):
            name = within_a_sentence(name)
        else:
            form = Form.DEPARTMENT
    return form, (("times", times_text(evidence.count, language)), ("value", name))


_FORM_AND_SLOTS: Mapping[EvidenceKind, Callable[[Evidence, Item, str, Tone], tuple[Form, Slots]]] = {
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
