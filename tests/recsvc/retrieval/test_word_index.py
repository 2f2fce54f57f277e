"""The word index scores as BM25 does, term by term, and takes new and reworded items at once."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from recsvc.model.item_words import K1, B
from recsvc.model.words import plain_words
from recsvc.retrieval import word_index
from recsvc.retrieval.synonyms import Synonyms
from recsvc.retrieval.text_query import read_query
from recsvc.retrieval.word_index import Part, WordIndex

WORDS = [f"word{n}" for n in range(60)]
NO_SYNONYMS = ()


def random_texts(n: int) -> list[str]:
    rng = random.Random(4)
    return [" ".join(rng.choices(WORDS, k=rng.randint(0, 9))) for _ in range(n)]


def not_needed() -> list[str]:
    raise AssertionError("so few texts build no new main index")


def parts(*terms: str) -> list[Part]:
    return [Part(((term,),)) for term in terms]


def matches(index: WordIndex, text: str, groups: tuple[tuple[str, ...], ...] = NO_SYNONYMS) -> dict[int, float]:
    query = read_query(text, index, Synonyms(groups, index.words))
    rows, shares = index.matches(query.parts)
    assert (np.diff(rows) > 0).all()
    return dict(zip(rows.tolist(), shares.tolist(), strict=True))


def expected(texts: list[str], terms: list[str]) -> dict[int, float]:
    """BM25 from its definition, over the sum of the inverse document frequencies."""
    counts = [Counter(text.split()) for text in texts]
    mean = sum(map(Counter.total, counts)) / len(counts)
    weights = []
    for term in terms:
        n = sum(term in count for count in counts)
        weights.append(math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)))
    shares = {}
    for row, count in enumerate(counts):
        long = K1 * (1 - B + B * count.total() / mean)
        share = sum(w * (K1 + 1) * count[t] / (count[t] + long) for t, w in zip(terms, weights, strict=True))
        if share:
            shares[row] = share / sum(weights)
    return shares


def test_shares_are_those_of_bm25() -> None:
    texts = random_texts(300)
    index = WordIndex.of(texts)
    for terms in (["word3"], ["word3", "word50"], ["word1", "word2", "nowhere"]):
        rows, shares = index.matches(parts(*terms))
        wanted = expected(texts, terms)
        assert rows.tolist() == list(wanted)
        np.testing.assert_allclose(shares, list(wanted.values()), rtol=1e-5)


def test_no_known_term_gives_no_match() -> None:
    index = WordIndex.of(random_texts(30))
    assert not len(index.matches(parts("nowhere")).rows)
    assert not len(index.matches([]).rows)
    assert not len(WordIndex.of(["", ""]).matches(parts("word1")).rows)


def test_new_and_reworded_items_are_found_by_their_new_words_alone() -> None:
    texts = random_texts(100)
    index = WordIndex.of(texts).with_texts({7: "scarlet lantern", 100: "scarlet curtain"}, not_needed)
    index = index.with_texts({101: "scarlet pillow"}, not_needed)
    assert set(matches(index, "scarlet")) == {7, 100, 101}
    assert matches(index, "scarlet lantern")[7] > matches(index, "scarlet lantern")[100]
    old = texts[7].split()[0]
    assert 7 not in matches(index, old)
    assert set(matches(index, old)) == {row for row, text in enumerate(texts) if old in text.split()} - {7}
    assert "lantern" not in WordIndex.of(texts)


def test_many_changes_build_a_new_main_index_without_the_words_of_replaced_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(word_index, "FEWEST_LATE_TEXTS", 10)
    texts = random_texts(100)
    index = WordIndex.of(texts)
    built = 0

    def every_text() -> list[str]:
        nonlocal built
        built += 1
        return texts

    for n in range(30):  # one item, described again and again, and new ones beside it
        texts[7] = f"scarlet lantern {'abcdefghijklmnopqrstuvwxyzabcdef'[n]}zzz"
        texts.append(f"word{n}")
        index = index.with_texts({7: texts[7], len(texts) - 1: texts[-1]}, every_text)
        assert matches(index, f"word{n}").keys() >= {len(texts) - 1}
        assert set(matches(index, "scarlet")) == {7}
    assert 3 <= built <= 5
    texts[7] = "plain"
    for _ in range(20):
        index = index.with_texts({7: texts[7]}, every_text)
    assert "scarlet" not in index
    assert index.spelling.correction("scarlett") is None
    rows, shares = index.matches(parts("word3", "word50"))
    fresh_rows, fresh_shares = WordIndex.of(texts).matches(parts("word3", "word50"))
    assert rows.tolist() == fresh_rows.tolist()
    np.testing.assert_allclose(shares, fresh_shares, rtol=1e-5)


def test_many_matches_are_cut_to_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_index, "MAX_MATCHES", 5)
    texts = ["word1"] * 5 + ["word1 word2"] * 20
    assert set(matches(WordIndex.of(texts), "word1")) == {0, 1, 2, 3, 4}


def test_stop_words_and_endings_do_not_count() -> None:
    index = WordIndex.of(["Copper kettles for the stove", "A bag for the road", "Kettle"])
    assert set(matches(index, "a kettle for me")) == {0, 2}
    assert not matches(index, "for the")


def test_the_language_is_that_of_the_texts() -> None:
    index = WordIndex.of(["Töpfe für die Küche mit Deckel", "Schuhe für Kinder und Eltern", "Deckel aus Glas"])
    assert index.words.language == "german"
    assert set(matches(index, "topf für die Kinder")) == {0, 1}


def test_chinese_is_compared_in_pairs_of_characters() -> None:
    index = WordIndex.of(["不锈钢保温杯", "陶瓷茶杯", "登山鞋 GORE-TEX"])
    assert set(matches(index, "保温杯")) == {0}
    assert set(matches(index, "gore-tex 登山鞋")) == {2}


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("umberella", "umbrella"),
        ("a Lantren, please", "a lantern, please"),
        ("umbrella", ""),
        ("kettel", "kettle"),
        ("ketle42", ""),  # a model number
        ("cat", ""),  # too short
        ("battle", ""),  # another first letter
    ],
)
def test_a_word_that_no_item_has_is_corrected_to_the_nearest(query: str, corrected: str) -> None:
    index = WordIndex.of(["Umbrella", "Lantern", "Kettle", "Kettle", "Kettles", "Car"])
    assert read_query(query, index, Synonyms((), index.words)).corrected == corrected


def test_a_word_that_the_language_model_knows_is_not_corrected() -> None:
    index = WordIndex.of(["Scratching post", "Canoe paddle"])
    known = {"stretching", "puddl"}
    for query in ("stretching", "puddle"):
        assert read_query(query, index, Synonyms((), index.words)).corrected
        assert not read_query(query, index, Synonyms((), index.words), known.__contains__).corrected


def test_a_correction_takes_words_of_new_items_and_keeps_those_of_the_index_before() -> None:
    before = WordIndex.of(["Umbrella"])
    after = before.with_texts({1: "Lantern"}, not_needed)
    assert read_query("lantren", after, Synonyms((), after.words)).corrected == "lantern"
    assert not read_query("lantren", before, Synonyms((), before.words)).corrected


def test_a_synonym_counts_as_the_word_itself() -> None:
    groups = (("french press", "Cafetière"), ("sofa", "couch", "settee"))
    index = WordIndex.of(["Cafetière of glass", "Press for garlic", "Couch", "Leather settee", "Vase"])
    assert set(matches(index, "sofa", groups)) == {2, 3}
    french = matches(index, "a french press", groups)
    assert french[0] > 0.8
    assert french[0] > french.get(1, 0)
    assert matches(index, "sofa", groups)[2] == pytest.approx(matches(index, "couch", groups)[2])
    assert not matches(index, "sofa")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2.4G无线鼠标", ["2", "4g", "无线鼠标"]),
        ("LED台灯", ["led", "台灯"]),
        ("A4纸 500ml保温杯", ["a4", "纸", "500ml", "保温杯"]),
    ],
)
def test_chinese_beside_letters_and_digits_is_a_word_of_its_own(text: str, words: list[str]) -> None:
    assert plain_words(text) == words
