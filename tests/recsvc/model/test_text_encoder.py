"""The default text encoder is the published model, and reads the right text of items and profiles."""

import numpy as np
import pytest

from recsvc.domain.shop import Item, Profile
from recsvc.errors import TextEncoderError
from recsvc.model import text_encoder as text
from recsvc.model.lexical import LexicalEncoder, tokenize
from recsvc.model.text_encoder import TextEncoder, item_text, profile_text


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder.load()


def test_texts_of_similar_meaning_have_similar_embeddings(encoder: TextEncoder) -> None:
    shoes, trainers, kettle = encoder.encode(["running shoes", "trainers for jogging", "electric kettle"])
    assert shoes @ trainers > 0.5 > shoes @ kettle


def test_embeddings_are_unit_vectors_and_an_empty_text_is_zero(encoder: TextEncoder) -> None:
    embeddings = encoder.encode(["a kettle", "", "  ", "x" * 5_000])
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), [1, 0, 0, 1], atol=1e-5)


def test_embedding_of_a_text_does_not_depend_on_its_batch(encoder: TextEncoder) -> None:
    texts = [f"item number {i} " + "and more " * (i % 7) for i in range(40)]
    alone = np.stack([encoder.encode([words])[0] for words in texts])
    np.testing.assert_allclose(encoder.encode(texts, batch_size=16), alone, atol=0.02)


def test_package_with_other_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "EMBEDDED_SHA256", "0" * 64)
    with pytest.raises(TextEncoderError, match="not the published ones"):
        TextEncoder.load.__wrapped__()  # type: ignore[attr-defined]  # tests keep one encoder


def test_unknown_model_raises_with_its_name() -> None:
    with pytest.raises(TextEncoderError, match="no-such-folder"):
        TextEncoder.load("./no-such-folder")


def test_text_of_an_item_and_of_a_profile() -> None:
    item = Item("1", "Trail Shoe", "Fernhollow", ("Sports", "Running"))
    assert item_text(item) == "Trail Shoe. Fernhollow. Sports > Running"
    profile = Profile("Runs a lot", (("home_city", "Leeds"), ("age", "")))
    assert profile_text(profile) == "Runs a lot. home city: Leeds"


def test_tokenize_english_words_and_pairs_of_chinese_characters() -> None:
    assert tokenize("Merino SOCKS, 2-pack x") == ["merino", "socks", "pack"]
    assert tokenize("羊毛袜子 Grey") == ["羊毛", "毛袜", "袜子", "grey"]


def test_lexical_weights_are_tf_idf() -> None:
    lexical = LexicalEncoder(
        {"tea": 0, "pot": 1}, np.array([1.0, 2.0], np.float32), np.eye(2, dtype=np.float32), np.ones(2, np.float32)
    )
    vector = lexical.encode(["tea tea pot unknown"])[0]
    expected = np.array([(1 + np.log(2)) * 1.0, 2.0])
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=1e-5)
    assert not lexical.encode(["unknown"]).any()
