"""The inverted index gives what comparing the query with every text would."""

import random

import numpy as np
import pytest

from recsvc.model.lexical import LexicalEncoder
from recsvc.retrieval import lexical_index as item_words
from recsvc.retrieval.lexical_index import LexicalIndex

WORDS = [f"word{n}" for n in range(60)]
RNG = random.Random(4)


@pytest.fixture
def lexical() -> LexicalEncoder:
    idf = np.linspace(1, 4, len(WORDS)).astype(np.float32)
    return LexicalEncoder(
        {w: n for n, w in enumerate(WORDS)}, idf, np.zeros((60, 1), np.float32), np.ones(1, np.float32)
    )


def some_text() -> str:
    return " ".join(RNG.choices(WORDS, k=RNG.randint(0, 9)))


def expected(lexical: LexicalEncoder, texts: list[str], query: str) -> dict[int, float]:
    def dense(text: str) -> np.ndarray:
        vector = np.zeros(len(WORDS))
        columns, values = lexical.weights(text)
        vector[columns] = values
        return vector

    cosines = {row: float(dense(text) @ dense(query)) for row, text in enumerate(texts)}
    return {row: cosine for row, cosine in cosines.items() if cosine > 0}


def test_matches_are_the_cosines_of_words(lexical):
    texts = [some_text() for _ in range(300)]
    words = LexicalIndex(lexical, texts)
    for _ in range(20):
        query = some_text() + " unknown"
        found = words.matches(query)
        assert np.all(np.diff(found.rows) > 0)
        assert dict(zip(found.rows.tolist(), found.scores.tolist(), strict=True)) == pytest.approx(
            expected(lexical, texts, query), abs=1e-6
        )


def test_texts_that_come_or_change_later_count_at_once_and_the_old_ones_do_not(lexical):
    texts = [some_text() for _ in range(50)]
    before = words = LexicalIndex(lexical, list(texts))
    for _ in range(5):
        changed = {RNG.randrange(len(texts)): some_text(), len(texts): some_text(), len(texts) + 1: some_text()}
        texts += ["", ""]
        for row, text in changed.items():
            texts[row] = text
        words = words.with_texts(changed)
        query = some_text()
        found = words.matches(query)
        assert dict(zip(found.rows.tolist(), found.scores.tolist(), strict=True)) == pytest.approx(
            expected(lexical, texts, query), abs=1e-6
        )
    assert before.matches(WORDS[0]).rows.max(initial=0) < 50


def test_of_too_many_matches_the_best_stay(lexical, monkeypatch):
    monkeypatch.setattr(item_words, "MOST_MATCHES", 10)
    texts = [some_text() for _ in range(300)]
    every = expected(lexical, texts, "word3 word50")
    found = LexicalIndex(lexical, texts).matches("word3 word50")
    assert sorted(found.scores, reverse=True) == pytest.approx(sorted(every.values(), reverse=True)[:10], abs=1e-6)
