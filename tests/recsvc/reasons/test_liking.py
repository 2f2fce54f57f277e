"""A profile's free text: what is liked is said plainly, and nothing that reads like a file is quoted."""

import pytest

from recsvc.reasons.seller_text.liking import is_quotable, liked_thing


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("loves riddles", "riddles"),
        ("likes a face mask", "face mask"),
        ("is fond of the sea", "sea"),
        ("喜欢烘焙", "烘焙"),
        ("hiking", ""),
        ("lovesick songs", ""),
    ],
)
def test_what_is_liked_stands_without_its_verb_and_article(text: str, thing: str) -> None:
    assert liked_thing(text) == thing


@pytest.mark.parametrize("phrase", ["baking bread", "hiking boots", "socks", "露营"])
def test_activities_and_things_can_be_quoted(phrase: str) -> None:
    assert is_quotable(phrase)


@pytest.mark.parametrize("phrase", ["knits socks", "walks everywhere", "a very small flat", "秋冬爱叠穿针织衫和围巾"])
def test_sentences_of_a_profile_are_not_quoted(phrase: str) -> None:
    assert not is_quotable(phrase)
