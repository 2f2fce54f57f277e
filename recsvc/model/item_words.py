"""The words of the items, as a bundle stores them: postings with their BM25 scores, and what spelling is compared with.

BM25 is that of Robertson and Zaragoza (2009).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES, Floats, Rows
from recsvc.domain.shop import Item
from recsvc.model.columns import Arrays, DistinctTexts, Texts
from recsvc.model.words import Words, is_alphabetic, plain_words

# The usual parameters of BM25: how soon more of the same word counts less, and how much a long text counts against it.
K1, B = 1.2, 0.75


def search_text(item: Item) -> str:
    """Returns the text of an item in which words are looked for: title, brand, categories and attribute values."""
    return " . ".join((item.title, item.brand, *item.categories, *(value for _, value in item.attributes)))


def alphabetic_words(words_of_texts: Iterable[Iterable[str]]) -> Counter[str]:
    """Returns how often each word of letters alone occurs in some texts, given as their `plain_words`."""
    return Counter(word for words in words_of_texts for word in words if is_alphabetic(word))


@dataclass(frozen=True)
class Postings:
    """For each term, the places of the texts that have it, and how much each has of it.

    Attributes:
        texts: How many texts there are.
        terms: The terms.
        starts: int64 (t + 1,), where the postings of each term begin.
        rows: int32 (p,), the places of each term's texts, ascending.
        scores: float32 (p,), the BM25 score of each.
    """

    texts: int
    terms: DistinctTexts
    starts: NDArray[np.int64]
    rows: Rows
    scores: Floats

    @staticmethod
    def of(texts: Sequence[Sequence[str]]) -> "Postings":
        """Reads texts, given as their terms."""
        if not any(texts):
            return Postings(len(texts), DistinctTexts.of(()), np.zeros(1, np.int64), NO_ROWS, NO_SCORES)
        index = bm25s.BM25(method="lucene", k1=K1, b=B)
        index.index(list(map(list, texts)), show_progress=False)
        terms = sorted(index.vocab_dict, key=index.vocab_dict.__getitem__)
        starts, data = np.asarray(index.scores["indptr"], np.int64), index.scores["data"]
        if terms[-1] == "":  # bm25s adds it, without postings
            terms, starts = terms[:-1], starts[: len(terms)]
        return Postings(len(texts), DistinctTexts.of(terms), starts, index.scores["indices"].astype(np.int32), data)


@dataclass(frozen=True)
class ItemWords:
    """The words of the texts of n items.

    Attributes:
        language: Of the texts; see `Words`.
        postings: Of their terms.
        spelled: Their alphabetic words, ascending.
        spelled_counts: int32 (w,), how often each occurs.
    """

    language: str
    postings: Postings
    spelled: Texts
    spelled_counts: NDArray[np.int32]

    @staticmethod
    def of(texts: Sequence[str]) -> "ItemWords":
        """Reads the text of each item; see `search_text`."""
        words = Words.of(texts)
        words_of_texts = [plain_words(text) for text in texts]
        terms_of = cache(words.terms_of)  # most words stand in many texts
        terms = [[term for word in words_of_text for term in terms_of(word)] for words_of_text in words_of_texts]
        counts = sorted(alphabetic_words(words_of_texts).items())
        return ItemWords(
            language=words.language,
            postings=Postings.of(terms),
            spelled=Texts.of(word for word, _ in counts),
            spelled_counts=np.array([count for _, count in counts], np.int32),
        )

    @staticmethod
    def read(n: int, arrays: Arrays) -> "ItemWords":
        """Takes the words of n items from the arrays of a bundle."""
        starts, rows, scores = (arrays[f"words.{name}"] for name in ("starts", "rows", "scores"))
        return ItemWords(
            language=Texts.read("words.language", arrays)[0],
            postings=Postings(n, DistinctTexts.read("words.terms", arrays), starts, rows, scores),
            spelled=Texts.read("words.spelled", arrays),
            spelled_counts=arrays["words.spelled_counts"],
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns all arrays by name."""
        postings = self.postings
        arrays: dict[str, NDArray[Any]] = {
            "words.starts": postings.starts,
            "words.rows": postings.rows,
            "words.scores": postings.scores,
            "words.spelled_counts": self.spelled_counts,
        }
        arrays |= postings.terms.arrays("words.terms") | self.spelled.arrays("words.spelled")
        return arrays | Texts.of([self.language]).arrays("words.language")


# The names of the arrays of a bundle that hold the words of its items.
ARRAY_NAMES = (
    *(f"words.{name}" for name in ("starts", "rows", "scores", "spelled_counts")),
    *(f"words.terms.{part}" for part in DistinctTexts.ARRAYS),
    *(f"words.{name}.{part}" for name in ("spelled", "language") for part in Texts.ARRAYS),
)
