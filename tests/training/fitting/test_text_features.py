"""The lexical encoder is the same in every process."""

from training.fitting.text_features import fit_lexical


def test_equally_frequent_terms_keep_the_order_of_the_texts() -> None:
    words = [f"word{number}" for number in range(60)]
    text = " ".join(words)
    assert list(fit_lexical([text, text, text], 4, seed=0).vocabulary) == words


def test_terms_of_a_single_text_are_no_features() -> None:
    lexical = fit_lexical(["kettle steel", "kettle copper", "kettle copper"], 2, seed=0)
    assert list(lexical.vocabulary) == ["kettle", "copper"]
