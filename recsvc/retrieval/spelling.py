"""Corrects words of a query that no item has, to the nearest word that an item has."""

from collections.abc import Mapping

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

# Letters added, left out, replaced or swapped, by the least length of the word. Short words have too many neighbours.
MAX_EDITS = ((9, 2), (5, 1))


class Spelling:
    """The words of a catalogue by their first letter. Immutable.

    Args:
        counts: For each first letter, how often each word occurs.
    """

    def __init__(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        self._counts = counts

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Spelling":
        """Takes words, in lower case, and how often each occurs."""
        return cls({}).with_words(counts)

    def with_words(self, counts: Mapping[str, int]) -> "Spelling":
        """Returns a copy with more words."""
        by_letter = dict(self._counts)
        copied: dict[str, dict[str, int]] = {}
        for word, count in counts.items():
            letter = word[0]
            if letter not in copied:
                by_letter[letter] = copied[letter] = dict(by_letter.get(letter, {}))
            copied[letter][word] = copied[letter].get(word, 0) + count
        return Spelling(by_letter)

    def correction(self, word: str) -> str | None:
        """Returns the nearest word, the most frequent one if several are as near; None if none is near enough.

        The first letter stays: people seldom mistype it, and most words that differ in it are other words.
        """
        edits = next((edits for length, edits in MAX_EDITS if len(word) >= length), 0)
        counts = self._counts.get(word[:1])
        if not edits or counts is None:
            return None
        near = process.extract(word, counts.keys(), scorer=DamerauLevenshtein.distance, score_cutoff=edits, limit=None)
        return min(near, key=lambda match: (match[1], -counts[match[0]], match[0]))[0] if near else None
