"""What copy may say of an item: what is true of it whoever asks, and whom it may address."""

import functools
import re

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.grammar.recipe import Recipe
from recsvc.reasons.licence import MIN_PEOPLE, Licence, attribute_form, category_name, held_value, number_text
from recsvc.reasons.seller_text.names import clean_name, display_width
from recsvc.reasons.seller_text.sensitive import is_sensitive, is_sensitive_text
from recsvc.reasons.seller_text.word_lists import fold, read_sections

MIN_HEAD = 10  # columns: a shorter head of a name is not its name
MIN_DAYS = 2  # of a window: "within 1 days" is not said

_OF_ITEM = (EvidenceKind.BRAND, EvidenceKind.CATEGORY, EvidenceKind.ATTRIBUTE)
_BUYERS_OF = {"brand": Form.BUYERS_OF_BRAND, "category": Form.BUYERS_OF_CATEGORY}
_ASIDE = re.compile(r"\s*[,，(（:：]\s*|\s+[-–—]\s+")
_CHINESE_SIZE = re.compile(r"(?<=[\u4e00-\u9fff])\s+[^\s\u4e00-\u9fff]*\d[^\s]*$|(?<=[\u4e00-\u9fff])\s+\w{1,2}码$")
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
_LOWER_WORD = re.compile(r"[a-z]+(?:['’-][a-z]+)*(?![\w])")
_BETWEEN_WIDE = re.compile(r"(?<=[\u3000-\u9fff]) (?=[\u3000-\u9fff])")


def item_licence(evidence: Evidence, item: Item, language: str, recipe: Recipe, form: Form = Form.PLAIN) -> Licence:
    """What a recipe may say of `evidence`. form: NAMED where the item's name is to stand beside it.

    An item that tells something private of its buyers may be described, but copy of it addresses nobody for what they
    bought, and no attribute with a private word in it is named.
    Raises ReasonRejected as `licence`.
    """
    kind = evidence.kind
    if evidence.strength is not Strength.NEUTRAL:
        raise ReasonRejected("strength", "copy says what is true of the item, whoever asks")
    wording = recipe.wording(language)
    name = copy_name(item.title, wording.name_width, wording.as_title)
    slots: tuple[tuple[str, str], ...] = ()
    if kind in (EvidenceKind.NAME, EvidenceKind.AUDIENCE) or form is Form.NAMED:
        if not name:
            raise ReasonRejected("name", "the item has no name to show")
        slots = (("item", name),)
    if kind is EvidenceKind.NAME:
        if evidence.value != item.title:
            raise ReasonRejected("evidence", "the item is not called so")
        form = Form.PLAIN
    elif kind is EvidenceKind.POPULARITY:
        if evidence.count < MIN_PEOPLE or evidence.days < MIN_DAYS:
            raise ReasonRejected("evidence", f"{evidence.count} people within {evidence.days} days")
        slots = (("count", number_text(evidence.count, language)), ("days", number_text(evidence.days, language)))
    elif kind is EvidenceKind.AUDIENCE:
        form, addressed = _addressed(evidence)
        if is_sensitive(item):
            raise ReasonRejected("sensitive", "the item's purchase says something private")
        slots += (("value", addressed),)
    elif kind in _OF_ITEM:
        sort, value = held_value(evidence, item)
        if kind is EvidenceKind.ATTRIBUTE:
            form = sort
            if is_sensitive_text(evidence.value) or is_size(evidence.value):
                raise ReasonRejected("evidence", "a private word, or a size")
            if sort is not Form.USE and sum(attribute_form(other) is sort for other, _ in set(item.attributes)) > 1:
                raise ReasonRejected("evidence", f"one of several values for its {sort}")
            value = _capitalised(clean_name(evidence.value)) if wording.as_title else value
        slots += (("value", value),)
    else:
        raise ReasonRejected("evidence", f"{kind} is a fact about a user")
    return Licence(kind, Strength.NEUTRAL, form, language, slots, recipe.id)


def _addressed(evidence: Evidence) -> tuple[Form, str]:
    form = _BUYERS_OF.get(evidence.name)
    if form is None:
        raise ReasonRejected("evidence", f"nobody is addressed by {evidence.name!r}")
    if is_sensitive_text(evidence.value):
        raise ReasonRejected("sensitive", "such purchases say something private")
    shown = clean_name(evidence.value) if form is Form.BUYERS_OF_BRAND else category_name(evidence.value)
    if not shown:
        raise ReasonRejected("name", f"the {evidence.name} has no name to show")
    return form, shown


@functools.lru_cache(maxsize=20_000)
def copy_name(title: str, width: int, as_title: bool) -> str:
    """An item's name as copy has it: `clean_name`, with a capital where it begins with a word in small letters.

    Not `as_title`, but within a sentence: without an article, without what a comma, a bracket or a dash sets apart, and
    without the size at the end of a Chinese title and the spaces between its words.
    """
    name = clean_name(title, width)
    if not as_title:
        head = _ASIDE.split(name, maxsplit=1)[0]
        name = _BETWEEN_WIDE.sub("", _CHINESE_SIZE.sub("", head if display_width(head) >= MIN_HEAD else name))
        name = _ARTICLE.sub("", name)
    return _capitalised(name)


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:] if _LOWER_WORD.match(name) else name


@functools.lru_cache(maxsize=20_000)
def is_size(value: str) -> bool:
    """Whether the value of an attribute is a size or a number of pieces, whatever the attribute is called."""
    return any(map(str.isdigit, value)) or fold(value).strip() in _size_words()


@functools.cache
def _size_words() -> frozenset[str]:
    return frozenset(map(fold, read_sections("size_words")[""]))
