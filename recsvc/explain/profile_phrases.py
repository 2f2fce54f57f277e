"""Splits a profile into phrases, and finds the phrase that a shopper would connect with an item."""

import functools
import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from recsvc.domain.shop import Item, Profile
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.reasons import can_be_shown, folded_words, states_aversion

# A longer phrase is a sentence of its own: only the words of it that a category has are quoted.
MAX_PHRASE_COLUMNS, MAX_PHRASE_WORDS = 24, 4
MAX_PHRASES = 64  # of one profile; limits the work that a long text can cause

_BETWEEN_PHRASES = re.compile(
    r"[,;.!?\n，、；。！？]+(?:\s*(?:and|but)\s)?|\s(?:and|but)\s|(?<=[㐀-鿿])\s+", re.IGNORECASE
)
_BETWEEN_SENTENCES = re.compile(r"[.;!?\n。；！？]+")
_LOOSE_WORDS = re.compile(r"^also\s+|\s+too$", re.IGNORECASE)
_LAST_MARKS = " \t'\"“”‘’:：()（）"


class ProfilePhrase(NamedTuple):
    """A phrase of a profile.

    Attributes:
        name: Of the attribute that it stands in; '' for the free text.
        text: As the profile writes it.
        terms: Codes of the category terms that it has, longest first.
    """

    name: str
    text: str
    terms: tuple[int, ...]


def profile_phrases(profile: Profile, terms: CategoryTerms) -> tuple[ProfilePhrase, ...]:
    """Returns the phrases of a profile that can be linked with an item, in the profile's order.

    A phrase that is too long, or that reads badly in quotation marks, gives way to the category terms in it. Whether
    those are liked is not known. A sentence that says what somebody does not like gives no phrase.
    """
    phrases: list[ProfilePhrase] = []
    for name, value in (("", profile.text), *profile.attributes):
        sentences = [sentence for sentence in _BETWEEN_SENTENCES.split(value) if not states_aversion(sentence)]
        for part in chain.from_iterable(map(_BETWEEN_PHRASES.split, sentences)):
            text = _LOOSE_WORDS.sub("", part.strip(_LAST_MARKS))
            codes = tuple(sorted(terms.mentioned(text), key=lambda code: (-len(terms.names[code]), code)))
            if not codes:
                continue
            if _is_short(text) and can_be_shown(name, text):
                phrases.append(ProfilePhrase(name, text, codes))
            else:
                phrases += (ProfilePhrase("", terms.written(code, text), (code,)) for code in codes)
    return tuple(phrase for phrase in phrases if phrase.text)[:MAX_PHRASES]


def linked_phrases(
    phrases: Sequence[ProfilePhrase], items: Sequence[Item], rows: Sequence[int], terms: CategoryTerms
) -> list[int]:
    """Returns for each item the place of the phrase that has a visible link with it; -1 if none has.

    The link is a category term of the phrase: one of the item's own categories, the longest first, or one in its title.
    """
    place_of: dict[int, int] = {}
    for place, phrase in enumerate(phrases):
        for code in phrase.terms:
            place_of.setdefault(code, place)
    folded_terms = [(folded_words(terms.names[code]), place) for code, place in place_of.items()]
    places = []
    for item, row in zip(items, rows, strict=True):
        if (shared := terms.shared(row, place_of)) >= 0:
            places.append(place_of[shared])
        else:
            title = _title(item.title, item.brand)
            places.append(next((place for term, place in folded_terms if _holds(title, term)), -1))
    return places


def _is_short(text: str) -> bool:
    columns = len(text) if text.isascii() else 2 * len(text)
    return columns <= MAX_PHRASE_COLUMNS and len(text.split()) <= MAX_PHRASE_WORDS


@functools.lru_cache(maxsize=20_000)
def _title(title: str, brand: str) -> tuple[str, list[str]]:
    """A title without its brand, folded, and its words: "Foxglove Games" makes no item one about games."""
    return folded_words(title[len(brand) :] if brand and title.startswith(brand) else title)


def _holds(title: tuple[str, list[str]], term: tuple[str, list[str]]) -> bool:
    folded, words = term
    if not folded.isascii():
        return folded in title[0]
    return any(title[1][at : at + len(words)] == words for at in range(len(title[1]) - len(words) + 1))
