"""Works out which claim copy may make: one that is true of the item for every reader, and whom it may address."""

import functools
import re
from collections.abc import Callable, Mapping

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.amounts import number_text, period_text
from recsvc.reasons.claim import MIN_PEOPLE, Claim, Slots, attribute_form, category_name, held_value
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.grammar.recipe import Recipe, Wording
from recsvc.reasons.seller_text.names import clean_label, display_width
from recsvc.reasons.seller_text.sensitive import is_sensitive, is_sensitive_text
from recsvc.reasons.seller_text.word_lists import fold, read_sections

MIN_HEAD_WIDTH = 10  # columns; a shorter part before a comma is not used as the name
MIN_WINDOW_DAYS = 2
MAX_KEYWORD_WIDTH = 40  # columns of a search or a synonym; a longer one is a sentence, and may say who typed it

_BUYERS_OF = {"brand": Form.BUYERS_OF_BRAND, "category": Form.BUYERS_OF_CATEGORY}
_ASIDE = re.compile(r"\s*[,，(（:：]\s*|\s+[-–—]\s+")
_CHINESE_SIZE = re.compile(r"(?<=[\u4e00-\u9fff])\s+[^\s\u4e00-\u9fff]*\d[^\s]*$|(?<=[\u4e00-\u9fff])\s+\w{1,2}码$")
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
_LOWER_WORD = re.compile(r"[a-z]+(?:['’-][a-z]+)*(?![\w])")
_BETWEEN_WIDE = re.compile(r"(?<=[\u3000-\u9fff]) (?=[\u3000-\u9fff])")


def copy_claim(evidence: Evidence, item: Item, language: str, recipe: Recipe, form: Form = Form.PLAIN) -> Claim:
    """Works out what a recipe may claim of an item from one piece of evidence.

    A sensitive item may be described, but its copy addresses no buyers and names no attribute with a private word.

    Args:
        evidence: The fact to state. Its strength must be NEUTRAL.
        item: The item that the copy describes.
        language: One of `LANGUAGES`.
        recipe: Whose words and rules apply.
        form: `Form.NAMED` if the item's name stands in the same sentence.

    Raises:
        ReasonRejected: By the rules of `permitted_claim`.
    """
    kind = evidence.kind
    if evidence.strength is not Strength.NEUTRAL:
        raise ReasonRejected("strength", "copy states only what is true of the item for every reader")
    form_and_slots = _FORM_AND_SLOTS.get(kind)
    if form_and_slots is None:
        raise ReasonRejected("evidence", f"{kind} is a fact about a user")
    form, slots = form_and_slots(evidence, item, language, recipe.wording(language), form)
    return Claim(kind, Strength.NEUTRAL, form, language, slots, recipe.id)


def _name(evidence: Evidence, item: Item, _language: str, wording: Wording, _form: Form) -> tuple[Form, Slots]:
    slots = _item_slot(item, wording)
    if evidence.value != item.title:
        raise ReasonRejected("evidence", "the item has another title")
    return Form.PLAIN, slots


def _popularity(evidence: Evidence, _item: Item, language: str, _wording: Wording, form: Form) -> tuple[Form, Slots]:
    if evidence.count < MIN_PEOPLE or evidence.days < MIN_WINDOW_DAYS:
        raise ReasonRejected("evidence", f"{evidence.count} people within {evidence.days} days")
    count, period = number_text(evidence.count, language), period_text(evidence.days, language)
    return form, (("count", count), ("period", period))


def _audience(evidence: Evidence, item: Item, _language: str, wording: Wording, _form: Form) -> tuple[Form, Slots]:
    slots = _item_slot(item, wording)
    form, buyers_of = _addressed(evidence)
    if is_sensitive(item):
        raise ReasonRejected("sensitive", "the item's purchase says something private")
    return form, (*slots, ("value", buyers_of))


def _synonym(evidence: Evidence, item: Item, _language: str, _wording: Wording, form: Form) -> tuple[Form, Slots]:
    if evidence.name not in item.categories:
        raise ReasonRejected("evidence", "the item does not have that category")
    return form, (("value", _keyword(evidence.value)),)


def _query(evidence: Evidence, item: Item, _language: str, _wording: Wording, form: Form) -> tuple[Form, Slots]:
    if evidence.count < MIN_PEOPLE or evidence.days < 1:
        raise ReasonRejected("evidence", f"{evidence.count} people within {evidence.days} days")
    if is_sensitive(item):
        raise ReasonRejected("sensitive", "what people searched before they bought the item says something private")
    return form, (("value", _keyword(evidence.value)),)


def _keyword(text: str) -> str:
    """A search or a synonym as a keyword, in lower case.

    Raises:
        ReasonRejected: 'sensitive' for a private word; 'name' if it is long, or has anything but words and numbers.
    """
    if is_sensitive_text(text):
        raise ReasonRejected("sensitive", "a private word")
    words = " ".join(text.lower().split())
    is_plain = all(c.isalnum() or c in " -'’&" for c in words)
    if not words or not is_plain or display_width(words) > MAX_KEYWORD_WIDTH or clean_label(words) != words:
        raise ReasonRejected("name", "no keyword that may be shown")
    return words


def _brand_or_category(
    evidence: Evidence, item: Item, _language: str, wording: Wording, form: Form
) -> tuple[Form, Slots]:
    slots = _item_slot(item, wording) if form is Form.NAMED else ()
    return form, (*slots, ("value", held_value(evidence, item)[1]))


def _attribute(evidence: Evidence, item: Item, _language: str, wording: Wording, form: Form) -> tuple[Form, Slots]:
    slots = _item_slot(item, wording) if form is Form.NAMED else ()
    sort, value = held_value(evidence, item)
    if is_sensitive_text(evidence.value) or is_size(evidence.value):
        raise ReasonRejected("evidence", "a private word, or a size")
    if sort is not Form.USE and sum(attribute_form(name) is sort for name, _ in set(item.attributes)) > 1:
        raise ReasonRejected("evidence", f"one of several values for its {sort}")
    shown = _capitalised(clean_label(evidence.value)) if wording.as_title else value
    return sort, (*slots, ("value", shown))


_FORM_AND_SLOTS: Mapping[EvidenceKind, Callable[[Evidence, Item, str, Wording, Form], tuple[Form, Slots]]] = {
    EvidenceKind.NAME: _name,
    EvidenceKind.POPULARITY: _popularity,
    EvidenceKind.AUDIENCE: _audience,
    EvidenceKind.BRAND: _brand_or_category,
    EvidenceKind.CATEGORY: _brand_or_category,
    EvidenceKind.ATTRIBUTE: _attribute,
    EvidenceKind.SYNONYM: _synonym,
    EvidenceKind.QUERY: _query,
}


def _item_slot(item: Item, wording: Wording) -> Slots:
    name = copy_name(item.title, wording.name_width, as_title=wording.as_title)
    if not name:
        raise ReasonRejected("name", "the item has no name to show")
    return (("item", name),)


def _addressed(evidence: Evidence) -> tuple[Form, str]:
    """Which buyers the copy addresses: the form, and the name of their brand or category."""
    form = _BUYERS_OF.get(evidence.name)
    if form is None:
        raise ReasonRejected("evidence", f"nobody is addressed by {evidence.name!r}")
    if is_sensitive_text(evidence.value):
        raise ReasonRejected("sensitive", "such purchases say something private")
    shown = clean_label(evidence.value) if form is Form.BUYERS_OF_BRAND else category_name(evidence.value)
    if not shown:
        raise ReasonRejected("name", f"the {evidence.name} has no name to show")
    return form, shown


@functools.lru_cache(maxsize=20_000)
def copy_name(title: str, width: int, *, as_title: bool) -> str:
    """An item's name as copy shows it: cleaned, and capitalised if it begins with a lower-case word.

    Args:
        title: The seller's title.
        width: Columns that the name may take, before it is cut down to its head.
        as_title: True keeps the whole name. False makes it fit into a sentence: it drops the article, whatever follows
            a comma, bracket or dash, the size at the end of a Chinese title, and spaces between Chinese words.
    """
    name = clean_label(title, width)
    if not as_title:
        head = _ASIDE.split(name, maxsplit=1)[0]
        name = _BETWEEN_WIDE.sub("", _CHINESE_SIZE.sub("", head if display_width(head) >= MIN_HEAD_WIDTH else name))
        name = _ARTICLE.sub("", name)
    return _capitalised(name)


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:] if _LOWER_WORD.match(name) else name


@functools.lru_cache(maxsize=20_000)
def is_size(value: str) -> bool:
    """Whether an attribute's value is a size or a number of pieces, whatever the attribute is called."""
    return any(map(str.isdigit, value)) or fold(value).strip() in _size_words()


@functools.cache
def _size_words() -> frozenset[str]:
    return frozenset(map(fold, read_sections("size_words")[""]))
