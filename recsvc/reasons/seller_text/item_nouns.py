"""Decides how the name of an item agrees with an English sentence: "this" or "these", with "the" or without.

The noun of a name is its last word, or the last before "for", "of" or "with". Where that is not sure, the item is one
thing: "this" of several things reads better than "these" of one.
"""

import functools
import re

from recsvc.reasons.seller_text.nouns import is_mass_noun, is_plural_noun, names_area
from recsvc.reasons.seller_text.word_lists import fold, read_sections

_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*", re.IGNORECASE)
_TOKEN = re.compile(r"[a-z]+(?:['’][a-z]+)*|\d+", re.IGNORECASE)
_FROM_ADDITION = re.compile(r"(?<=\w)\s+(?:for|of|with|w|from|in|by|on)\b.*$|\s[-–—(,].*$", re.IGNORECASE)
_JOINED = re.compile(r"\s(?:&|\+|and|or)\s", re.IGNORECASE)
_SET_OF = re.compile(r"^(?:(?:sets?|packs?|box|lot|pair)\s+of\s+)?(?:\d+\s+)?", re.IGNORECASE)
_ENDS_IN_S = re.compile(r"[a-rt-z]s\b", re.IGNORECASE)
_OWN_ARTICLE = re.compile(r"(?:the|an?|my|your|our|his|her)\s", re.IGNORECASE)
_COMMAND = re.compile(r"\byour\b", re.IGNORECASE)  # "Grow Your Own Herbs" is a name, not herbs
_FACTOR = re.compile(r"\s+(?:SPF|UHT|A[3-5])?\s*\d*$")  # behind the noun: "Sun Cream SPF 50"
_WORDS_OF_NOUN = 2  # "lunch bag"
_MIN_COUNTED = 4  # fewer are a design: "2 Daisies Hair Comb"
_MAX_PLACE_OF_COUNTED = 3  # "60 Cake Cases Vintage Christmas": the noun stands soon after the number


def may_be_plural(title: str) -> bool:
    """Whether a title begins with a number, or its noun may have the form of a plural. It is fast."""
    if title[:1].isdigit():
        return True
    words = _FROM_ADDITION.sub("", title.partition(",")[0]).split()
    return bool(words) and (_ENDS_IN_S.search(words[-1]) is not None or words[-1].lower() in _lists()["irregular"])


@functools.lru_cache(maxsize=100_000)
def is_plural(name: str, brand: str = "", categories: tuple[str, ...] = ()) -> bool:
    """Whether a name is surely a plural, so that a sentence says "these" of the item.

    Args:
        name: As `clean_name` gives it.
        brand: Of the item. It is no part of the noun, and may end in s itself.
        categories: Of the item. The name of a book or film is a title and says nothing.
    """
    if not name.isascii() or name == brand or _OWN_ARTICLE.match(name) or _COMMAND.search(name) or _is_work(categories):
        return False
    noun_part = _noun_part(name, brand)
    tokens = _TOKEN.findall(fold(noun_part))
    if not tokens or _JOINED.search(noun_part) or any(map(_is_whole, tokens[:-1])):
        return False
    if tokens[0].isdigit():
        # Of "12 Pencils Tall Tube" the number counts the pencils, and the item is the tube.
        counted = tokens[1 : _MAX_PLACE_OF_COUNTED + 1]
        return int(tokens[0]) >= _MIN_COUNTED and not _is_whole(tokens[-1]) and any(map(_is_plural, counted))
    return _is_plural(tokens[-1]) and not any(token.isdigit() for token in tokens)


@functools.lru_cache(maxsize=100_000)
def takes_article(name: str, brand: str = "", categories: tuple[str, ...] = ()) -> bool:
    """Whether "the" reads well before a name in quotation marks: not before a plural or a mass noun.

    Args:
        name: As a sentence shows it.
        brand: Of the item.
        categories: Of the item.
    """
    if _OWN_ARTICLE.match(name) or is_plural(name, brand, categories):
        return False
    words = _WORD.findall(fold(_FACTOR.sub("", _noun_part(name, brand))))
    is_mass = bool(words) and is_mass_noun(words[-1]) and words[-1] not in _lists()["materials"]
    return not is_mass or any(map(_is_whole, words[:-1]))


@functools.lru_cache(maxsize=100_000)
def needs_served(title: str) -> frozenset[str]:
    """Words that name the need that an item serves: its noun. Items that share none are not similar, only alike.

    A noun such as "box" or "bag" counts with the word before it: a lunch box and a gift box serve different needs. A
    title may also begin with it: "Lunch Bag Red Retrospot".

    Returns:
        Folded nouns in the singular, one or two of them; empty for a title of which they are not known.
    """
    words = [
        word
        for word in _WORD.findall(fold(_FROM_ADDITION.sub("", _SET_OF.sub("", title.partition(",")[0].strip()))))
        if len(word) > 1
    ]
    while len(words) > 1 and words[-1] in _lists()["details"]:
        words.pop()
    if not title.isascii() or not words:
        return frozenset()
    singular = [word[:-1] if is_plural_noun(word) else word for word in words]
    nouns = {" ".join(singular[-2:]) if _is_whole(singular[-1]) else singular[-1]}
    if len(words) > _WORDS_OF_NOUN and (_is_whole(singular[1]) or is_plural_noun(words[1])):
        nouns.add(" ".join(singular[:_WORDS_OF_NOUN]))
    return frozenset(nouns)


def _noun_part(name: str, brand: str) -> str:
    """The words of a name up to its noun, without the brand before them."""
    if brand and name.casefold().startswith(f"{brand.casefold()} "):
        name = name[len(brand) :].strip()
    return _FROM_ADDITION.sub("", name)


def _is_whole(word: str) -> bool:
    return word in _lists()["wholes"]


def _is_plural(word: str) -> bool:
    return is_plural_noun(word) and word not in _lists()["singulars"] and not names_area(word)


def _is_work(categories: tuple[str, ...]) -> bool:
    works = _lists()["works"]
    return any(not works.isdisjoint(_WORD.findall(fold(category))) for category in categories)


@functools.cache
def _lists() -> dict[str, frozenset[str]]:
    lists = {heading: frozenset(map(fold, words)) for heading, words in read_sections("item_nouns").items()}
    return lists | {"irregular": frozenset(map(fold, read_sections("category_nouns")["plurals"]))}
