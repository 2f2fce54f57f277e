"""The inverted index returns the same as a comparison of the query with every text."""

import random

import numpy as np
import pytest

from recsvc.model.lexical import LexicalEncoder
from recsvc.retrieval import lexical_index
from recsvc.retrieval.lexical_index import LexicalIndex

WORDS = [f"word{n}" for n in range(60)]
RNG = random.Random(4)


@pytest.fixture
def lexical() -> LexicalEncoder:
    idf = np.linspace(1, 4, len(WORDS)).astype(np.float32)
    return LexicalEncoder(
        {w: n for n, w in enumerate(WORDS)}, idf, np.zeros((60, 1), np.float32), np.ones(1, np.float32)
    )


def random_text() -> str:
    return " ".join(RNG.choices(WORDS, k=RNG.randint(0, 9)))


def expected(lexical: LexicalEncoder, texts: list[str], query: str) -> dict[int, float]:
    def dense(text: str) -> np.ndarray:
        vector = np.zeros(len(WORDS))
        columns, values = lexical.weights(text)
        vector[columns] = values
        return vector

    cosines = {row: float(dense(text) @ dense(query)) for row, text in enumerate(texts)}
    return {row: cosine for row, cosine in cosines.items() if cosine > 0}


def test_scores_equal_the_cosines_of_words(lexical):
    texts = [random_text() for _ in range(300)]
    index = LexicalIndex.of(lexical, texts)
    for _ in range(20):
        query = random_text() + " unknown"
        matches = index.matches(query)
        assert np.all(np.diff(matches.rows) > 0)
        assert dict(zip(matches.rows.tolist(), matches.scores.tolist(), strict=True)) == pytest.approx(
            expected(lexical, texts, query), abs=1e-6
        )


def test_new_and_changed_texts_replace_the_old_at_once(lexical):
    texts = [random_text() for _ in range(50)]
    before = index = LexicalIndex.of(lexical, list(texts))
    for _ in range(5):
        changed = {RNG.randrange(len(texts)): random_text(), len(texts): random_text(), len(texts) + 1: random_text()}
        texts += ["", ""]
        for row, text in changed.items():
            texts[row] = text
        index = index.with_texts(changed)
        query = random_text()
        matches = index.matches(query)
        assert dict(zip(matches.rows.tolist(), matches.scores.tolist(), strict=True)) == pytest.approx(
            expected(lexical, texts, query), abs=1e-6
        )
    assert before.matches(WORDS[0]).rows.max(initial=0) < 50


def test_too_many_matches_keep_the_best(lexical, monkeypatch):
    monkeypatch.setattr(lexical_index, "MAX_MATCHES", 10)
    texts = [random_text() for _ in range(300)]
    all_matches = expected(lexical, texts, "word3 word50")
    matches = LexicalIndex.of(lexical, texts).matches("word3 word50")
    assert sorted(matches.scores, reverse=True) == pytest.approx(
        sorted(all_matches.values(), reverse=True)[:10], abs=1e-6
    )
