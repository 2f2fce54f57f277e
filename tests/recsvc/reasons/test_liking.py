"""A profile's free text: what is liked is said plainly, and nothing that reads like a file is quoted."""

import pytest

from recsvc.domain.shop import Item, Profile
from recsvc.explain.profile_phrases import profile_phrases
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.model.catalogue import Catalogue
from recsvc.reasons.seller_text.liking import is_quotable, liked_thing, states_aversion


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


AVERSE = [
    "anything but walking boots",
    "everything in your shop except cat food",
    "gave up hiking",
    "hates board games",
    "used to love knitting but hates it now",
    "never wears hiking boots any more",
    "no dog food",
    "讨厌咖啡豆",
    "除了猫粮都可以",
]


@pytest.mark.parametrize("text", AVERSE)
def test_sentence_that_says_what_is_not_liked_gives_no_phrase(text: str) -> None:
    names = (
        "Walking Boots",
        "Cat Food",
        "Hiking",
        "Board Games",
        "Knitting",
        "Hiking Boots",
        "Dog Food",
        "咖啡豆",
        "猫粮",
    )
    terms = CategoryTerms(Catalogue([Item(name, name, categories=("All", name)) for name in names]))
    assert states_aversion(text)
    assert profile_phrases(Profile("", (("likes", text),)), terms) == ()
    assert profile_phrases(Profile(text, ()), terms) == ()


@pytest.mark.parametrize("text", ["baking bread", "loves riddles; camping", "a nothofagus wood", "喜欢烘焙"])
def test_liking_is_no_aversion(text: str) -> None:
    assert not states_aversion(text)


@pytest.mark.parametrize(
    ("text", "term"),
    [("每周四和朋友一起编织聊天", "编织"), ("mends old bikes", "bikes"), ("hiking boots", "hiking boots")],
)
def test_phrase_that_cannot_be_quoted_gives_way_to_the_category_term_in_it(text: str, term: str) -> None:
    names = ("编织", "Bikes", "Hiking Boots")
    terms = CategoryTerms(Catalogue([Item(name, name, categories=("All", name)) for name in names]))
    [phrase] = profile_phrases(Profile("", (("about", text),)), terms)
    assert phrase.text == term


def test_category_term_of_a_long_phrase_is_not_said_to_be_liked() -> None:
    terms = CategoryTerms(Catalogue([Item("a", "a", categories=("All", "Walking Boots"))]))
    text = "the sort of person who owns walking boots"
    [phrase] = profile_phrases(Profile("", (("likes", text),)), terms)
    assert (phrase.name, phrase.text) == ("", "walking boots")
