"""The right text of items and profiles is read, and the lexical encoder weighs its words."""

import numpy as np

from recsvc.domain.shop import Item, Profile
from recsvc.model.lexical import LexicalEncoder, tokenize
from recsvc.model.text_encoder import item_text, profile_text


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
