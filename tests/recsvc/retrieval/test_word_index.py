"""The word index scores as BM25 does, term by term, and takes new and reworded items at once."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from recsvc.model.growing import RECENT_VALUES
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
    index = WordIndex.of(texts).with_texts({7: "scarlet lantern", 100: "scarlet curtain"}, {7: texts[7]})
    index = index.with_texts({101: "scarlet pillow"}, {})
    assert set(matches(index, "scarlet")) == {7, 100, 101}
    assert matches(index, "scarlet lantern")[7] > matches(index, "scarlet lantern")[100]
    old = texts[7].split()[0]
    assert 7 not in matches(index, old)
    assert set(matches(index, old)) == {row for row, text in enumerate(texts) if old in text.split()} - {7}
    assert "lantern" not in WordIndex.of(texts)


def test_the_words_of_replaced_texts_are_forgotten_at_once_and_leave_no_memory() -> None:
    texts = random_texts(100)
    index = WordIndex.of(texts)
    for n in range(300):  # one item, described again and again, and new ones beside it
        earlier = texts[7]
        texts[7] = f"scarlet lantern {chr(97 + n // 26)}{chr(97 + n % 26)}zzz"
        texts.append(f"word{n % 70}")
        index = index.with_texts({7: texts[7], len(texts) - 1: texts[-1]}, {7: earlier})
        assert matches(index, f"word{n % 70}").keys() >= {len(texts) - 1}
        assert set(matches(index, "scarlet")) == {7}
        assert earlier.split()[-1:] != ["aazzz"] or "aazzz" not in index
    assert len(index._late.by_term) < 70 + 2 + RECENT_VALUES  # noqa: SLF001  what is kept
    index = index.with_texts({7: "plain"}, {7: texts[7]})
    assert "scarlet" not in index
    assert index.spelling.correction("scarlett") is None
    assert set(matches(index, "plain")) == {7}


def test_a_stored_text_that_changes_back_is_found_again() -> None:
    texts = ["copper kettle", "copper lantern", "vase"]
    index = WordIndex.of(texts)
    changed = index.with_texts({0: "brass kettle"}, {0: texts[0]})
    assert set(matches(changed, "copper")) == {1}
    assert changed.spelling.correction("coppre") == "copper"
    changed = changed.with_texts({1: "brass lantern"}, {1: texts[1]})
    assert not matches(changed, "copper")
    assert changed.spelling.correction("coppre") is None
    changed = changed.with_texts({0: texts[0]}, {0: "brass kettle"}).with_texts({1: texts[1]}, {1: "brass lantern"})
    assert set(matches(changed, "copper")) == {0, 1}
    assert changed.spelling.correction("coppre") == "copper"
    assert set(matches(index, "copper")) == {0, 1}


def test_random_changes_give_about_the_matches_of_an_index_that_is_built_from_all_texts() -> None:
    rng = random.Random(7)
    texts = random_texts(200)
    index = WordIndex.of(texts)
    for _ in range(40):
        batch: dict[int, str] = {}
        for _ in range(rng.randint(1, 12)):
            batch[rng.randint(0, len(texts) + 3)] = " ".join(rng.choices(WORDS, k=rng.randint(0, 9)))
        # New rows follow each other.
        batch = {row: text for row, text in batch.items() if row < len(texts)} | {len(texts): "word1 word2"}
        index = index.with_texts(batch, {row: texts[row] for row in batch if row < len(texts)})
        texts += [""] * (1 + max(batch) - len(texts))
        for row, text in batch.items():
            texts[row] = text
    fresh = WordIndex.of(texts)
    for query in (["word3"], ["word3", "word50"], ["word1", "word2", "nowhere"]):
        (rows, shares), (fresh_rows, fresh_shares) = index.matches(parts(*query)), fresh.matches(parts(*query))
        assert rows.tolist() == fresh_rows.tolist()
        # A late text is as long as it has distinct terms, and is compared with the mean of its time.
        np.testing.assert_allclose(shares, fresh_shares, rtol=0.2)


def test_rare_words_weigh_more_also_in_a_shop_whose_items_all_came_late() -> None:
    texts = {row: f"kettle {'scarlet' if row == 40 else 'blue'}" for row in range(60)}
    index = WordIndex.of([]).with_texts(texts, {})
    shares = matches(index, "scarlet kettle")
    assert shares[40] == pytest.approx(1)
    assert shares[3] == pytest.approx(shares[59])
    assert shares[3] < 0.1


def test_a_late_text_counts_as_a_stored_one_of_the_same_words() -> None:
    texts = [f"{text} end{row}" for row, text in enumerate(random_texts(300))]
    later = WordIndex.of(texts).with_texts({300: texts[5], 301: texts[8]}, {})
    rows, shares = later.matches(parts(texts[5].split()[0], texts[8].split()[0]))
    by_row = dict(zip(rows.tolist(), shares.tolist(), strict=True))
    assert by_row[300] == pytest.approx(by_row[5], rel=0.1)
    assert by_row[301] == pytest.approx(by_row[8], rel=0.1)


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
    after = before.with_texts({1: "Lantern"}, {})
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
