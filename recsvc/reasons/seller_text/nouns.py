"""Decides how the name of a category reads: as a word for things that people buy, or as the name of a department.

"You've bought nail polish 20 times" and "You've bought mugs 5 times" are English. "You've bought kitchen & dining" and
"You've bought tea towel 5 times" are not: of those, a sentence says "You've shopped in Kitchen & Dining".
"""

import functools
import re

from recsvc.reasons.seller_text.word_lists import fold, read_sections

_JOINED = re.compile(r"[&/,+、，／]|\band\b|(?<!^)[与和及]", re.IGNORECASE)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*", re.IGNORECASE)
_OF_THINGS = re.compile(r"\b(?:for|of|with|from|in|by)\b.*$", re.IGNORECASE)
_NOT_PLURAL = re.compile(r"(?:ss|us|is|['’]s?)$")
_MIN_PLURAL_LENGTH = 4  # letters; "gas" and "bus" are singular


def has_words_of(name: str, language: str) -> bool:
    """Whether a name can be read as words of a language.

    A Chinese one has a Chinese letter, or is an abbreviation such as PVC. An English one has a Latin letter.
    """
    if language == "zh":
        return _CHINESE.search(name) is not None or name.isupper()
    return _LATIN_WORD.search(name) is not None


@functools.lru_cache(maxsize=20_000)
def names_things(name: str, language: str) -> bool:
    """Whether a sentence may say that somebody bought or likes `name`, without an article.

    In English its noun must be a plural or one of the mass nouns of `policy/category_nouns.txt`. The noun is the last
    word, or the last before "for", "of" or "with". A Chinese name must end like a word for things: 露营 (camping) and
    鞋护理 (shoe care) do not.
    """
    if _JOINED.search(name):
        return False
    lists = _lists()
    if language == "zh":
        return fold(name).strip().endswith(tuple(lists["chinese_endings"])) and name not in lists["areas"]
    words = _LATIN_WORD.findall(fold(_OF_THINGS.sub("", name)))
    if not words or not {" ".join(words), words[-1]}.isdisjoint(lists["areas"]):
        return False
    return is_plural_noun(words[-1]) or is_mass_noun(words[-1])


def is_plural_noun(noun: str) -> bool:
    """Whether a folded English noun has the form of a plural. Some words in s have it too: see `names_area`."""
    has_ending = len(noun) >= _MIN_PLURAL_LENGTH and noun.endswith("s") and not _NOT_PLURAL.search(noun)
    return has_ending or noun in _lists()["plurals"]


def is_mass_noun(noun: str) -> bool:
    """Whether a folded English noun is bought without a number and an article: "tea"."""
    return noun in _lists()["mass"]


def names_area(noun: str) -> bool:
    """Whether a folded name is an area of a shop, or a word in s that is no plural: "outdoors", "canvas"."""
    return noun in _lists()["areas"]


@functools.lru_cache(maxsize=20_000)
def names_activity_or_things(phrase: str, language: str) -> bool:
    """Whether a phrase may follow "You like": an activity such as "baking bread", or things."""
    if language == "zh":
        return has_words_of(phrase, language)
    words = _LATIN_WORD.findall(phrase.lower())
    is_activity = bool(words) and (words[0].endswith("ing") or words[-1].endswith("ing"))
    return is_activity or names_things(phrase, language)


@functools.cache
def _lists() -> dict[str, frozenset[str]]:
    return {heading: frozenset(map(fold, names)) for heading, names in read_sections("category_nouns").items()}
