"""Corrects words of a query that no item has, to the nearest word that an item has."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from recsvc.model.columns import Texts

# Letters added, left out, replaced or swapped, by the least length of the word. Short words have too many neighbours.
MAX_EDITS = ((9, 2), (5, 1))
_LAST_CHARACTER = "\U0010ffff"


class Spelling:
    """The words of a catalogue. Immutable.

    Args:
        words: In lower case, ascending.
        word_counts: int32 (w,), how often each occurs.
        added: Words that came or went later: for each first letter, how often each came more.
    """

    def __init__(
        self, words: Texts, word_counts: NDArray[np.int32], added: Mapping[str, Mapping[str, int]] = {}
    ) -> None:
        self._words, self._word_counts = words, word_counts
        self._added = added

    def with_words(self, counts: Mapping[str, int]) -> "Spelling":
        """Returns a copy with more words. counts: how often each came more, below 0 if less. 0 changes nothing."""
        by_letter = dict(self._added)
        copied: dict[str, dict[str, int]] = {}
        for word, count in counts.items():
            if not count:
                continue
            letter = word[0]
            if letter not in copied:
                by_letter[letter] = copied[letter] = dict(by_letter.get(letter, {}))
            copied[letter][word] = copied[letter].get(word, 0) + count
            if not copied[letter][word]:
                del copied[letter][word]
        return Spelling(self._words, self._word_counts, by_letter)

    def correction(self, word: str) -> str | None:
        """Returns the nearest word, the most frequent one if several are as near; None if none is near enough.

        The first letter stays: people seldom mistype it, and most words that differ in it are other words.
        """
        edits = next((edits for length, edits in MAX_EDITS if len(word) >= length), 0)
        counts = self._beginning_with(word[:1]) if edits else {}
        near = process.extract(word, counts.keys(), scorer=DamerauLevenshtein.distance, score_cutoff=edits, limit=None)
        return min(near, key=lambda match: (match[1], -counts[match[0]], match[0]))[0] if near else None

    def _beginning_with(self, letter: str) -> dict[str, int]:
        """Returns how often each word with a first letter occurs."""
        own = slice(bisect_left(self._words, letter), bisect_right(self._words, letter + _LAST_CHARACTER))
        counts = dict(zip(self._words[own], self._word_counts[own].tolist(), strict=True))
        for word, count in self._added.get(letter, {}).items():
            counts[word] = counts.get(word, 0) + count
            if counts[word] <= 0:
                del counts[word]
        return counts
