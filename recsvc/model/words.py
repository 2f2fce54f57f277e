"""Splits texts into the words that a search compares: without stop words, as stems."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import Stemmer
from bm25s import stopwords

# A word of an alphabetic script, or a run of Chinese, Japanese or Korean characters (written without spaces).
WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]+|[^\W_぀-ヿ㐀-鿿가-힯]+")
_CJK_FIRST = "぀"

ENGLISH = "english"
# Languages with both a stemmer and a list of stop words.
_STOPWORDS = {
    ENGLISH: stopwords.STOPWORDS_EN_PLUS,
    "german": stopwords.STOPWORDS_GERMAN,
    "dutch": stopwords.STOPWORDS_DUTCH,
    "french": stopwords.STOPWORDS_FRENCH,
    "spanish": stopwords.STOPWORDS_SPANISH,
    "portuguese": stopwords.STOPWORDS_PORTUGUESE,
    "italian": stopwords.STOPWORDS_ITALIAN,
    "russian": stopwords.STOPWORDS_RUSSIAN,
    "swedish": stopwords.STOPWORDS_SWEDISH,
    "norwegian": stopwords.STOPWORDS_NORWEGIAN,
    "danish": stopwords.STOPWORDS_DANISH,
    "turkish": stopwords.STOPWORDS_TURKISH,
}
# Texts that are read to tell the language of a catalogue.
_SAMPLED_TEXTS = 5_000


def plain_words(text: str) -> list[str]:
    """Returns the words of a text in lower case, and its runs of Chinese, Japanese or Korean characters."""
    return WORD.findall(unicodedata.normalize("NFKC", text).lower())


def is_alphabetic(word: str) -> bool:
    """Returns whether a word has letters alone, of a script that is written with spaces."""
    return word.isalpha() and word[0] < _CJK_FIRST


class Words:
    """Reads the words of one language, and of Chinese, Japanese and Korean. For one thread at a time.

    Args:
        language: One of the languages with a stemmer.
    """

    def __init__(self, language: str = ENGLISH) -> None:
        self.language = language
        self._stop_words = frozenset(_STOPWORDS[language]) | frozenset(_STOPWORDS[ENGLISH])
        self._chinese_stop_words = frozenset(stopwords.STOPWORDS_CHINESE)
        self._stem = Stemmer.Stemmer(language).stemWord

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Words":
        """Reads the language whose stop words the texts have most; English if they have none."""
        counts = Counter(word for text in texts[:: len(texts) // _SAMPLED_TEXTS + 1] for word in plain_words(text))
        found = {name: sum(counts[word] for word in words) for name, words in _STOPWORDS.items()}
        return cls(max(found, key=lambda name: found[name]))

    def terms(self, text: str) -> list[str]:
        """Returns the terms of a text in its order, with duplicates.

        A term is the stem of a word. A run of Chinese, Japanese or Korean characters gives its overlapping pairs.
        """
        return [term for word in plain_words(text) for term in self.terms_of(word)]

    def terms_of(self, word: str) -> Iterable[str]:
        """Returns the terms of one of `plain_words`: none of a stop word."""
        if word[0] >= _CJK_FIRST:
            pairs = [word[i : i + 2] for i in range(max(1, len(word) - 1))]
            return [pair for pair in pairs if pair not in self._chinese_stop_words]
        return () if word in self._stop_words else (self._stem(word),)
