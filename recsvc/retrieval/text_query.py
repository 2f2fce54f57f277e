"""Reads the text of a search: corrects its words, and adds synonyms."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recsvc.model.words import WORD, is_alphabetic
from recsvc.retrieval.synonyms import Synonyms
from recsvc.retrieval.word_index import Part, WordIndex


@dataclass(frozen=True, slots=True)
class TextQuery:
    """The words of a search.

    Attributes:
        parts: The expressions that items are compared with.
        corrected: The text with corrected words, in lower case; "" if no word was corrected.
    """

    parts: tuple[Part, ...]
    corrected: str


def read_query(
    text: str, index: WordIndex, synonyms: Synonyms, has_word: Callable[[str], bool] = lambda _: False
) -> TextQuery:
    """Reads a text. A word that no item and no synonym has is taken for the nearest word that an item has.

    Args:
        text: What the user typed.
        index: The words of the items.
        synonyms: The operator's.
        has_word: Whether the language model knows a word. If so, it is spelled as meant, though no item has it.
    """
    words = index.words

    def corrected(match: re.Match[str]) -> str:
        word = match[0]
        if not is_alphabetic(word):
            return word
        terms = tuple(words.terms_of(word))
        if not terms or terms[0] in index or terms in synonyms or has_word(word) or has_word(terms[0]):
            return word
        return index.spelling.correction(word) or word

    lower = unicodedata.normalize("NFKC", text).lower()
    spelled = WORD.sub(corrected, lower)
    parts = tuple(dict.fromkeys(_parts(words.terms(spelled), synonyms)))
    return TextQuery(parts, "" if spelled == lower else spelled)


def _parts(terms: Sequence[str], synonyms: Synonyms) -> list[Part]:
    parts, place = [], 0
    while place < len(terms):
        alternatives = synonyms.longest_at(terms, place) or ((terms[place],),)
        parts.append(Part(alternatives))
        place += len(alternatives[0])
    return parts
