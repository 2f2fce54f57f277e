"""Turns a name round that a stock list has back to front: "Jumbo Bag Spaceboy Design" is the "Spaceboy Jumbo Bag"."""

import functools
import re

from recsvc.reasons.seller_text.word_lists import fold, read_sections

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_COUNT = re.compile(r"^\d+\s+")  # "60 Cake Cases Vintage Christmas"
_SAYS_DESIGN = frozenset({"design", "print", "pattern"})
_MAX_DESIGN_WORDS = 3
_MIN_WORDS_OF_THING = 2  # one word and a design may be a compound: "Bag Red"
_SMALL_WORDS = frozenset(
    {"new", "a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with", "w"}
)


@functools.lru_cache(maxsize=20_000)
def as_said(name: str) -> str:
    """The name with the design before the thing, where the words leave no doubt; else the name as it is.

    The thing is two words or more that end in a noun of `policy/item_nouns.txt`. Behind it stand nothing but colours
    and patterns, or up to three words and "design", which is then left out.
    """
    counted = _COUNT.match(name)
    words = name[counted.end() if counted else 0 :].split()
    if not all(map(_WORD.fullmatch, words)) or not _SMALL_WORDS.isdisjoint(map(str.lower, words)):
        return name
    nouns = [place for place, word in enumerate(words) if _is_thing(word)]
    end = next((place + 1 for place in nouns if place + 1 not in nouns), 0)
    if counted and not words[end - 1].endswith("s"):  # of "36 Pencils Tube" the number counts no tubes
        return name
    design = words[end:]
    if end < _MIN_WORDS_OF_THING or not design or any(map(_is_thing, design)):
        return name
    if design[-1].lower() in _SAYS_DESIGN:
        design = design[:-1]
    elif not all(word.lower() in _designs() for word in design):
        return name
    return " ".join([*design, *words[:end]]) if 1 <= len(design) <= _MAX_DESIGN_WORDS else name


@functools.lru_cache(maxsize=20_000)
def _is_thing(word: str) -> bool:
    folded = fold(word)
    return bool({folded, folded.removesuffix("s"), folded.removesuffix("es")} & _things())


@functools.cache
def _things() -> frozenset[str]:
    return frozenset(map(fold, read_sections("item_nouns")["wholes"]))


@functools.cache
def _designs() -> frozenset[str]:
    sections = read_sections("item_nouns")
    return frozenset(map(fold, (*sections["details"], *sections["designs"]))) - _SAYS_DESIGN
