"""Phrases of a profile, and the items that a shopper would connect with them."""

import pytest

from recsvc.domain.shop import Item, Profile
from recsvc.explain.profile_phrases import MAX_PHRASES, linked_phrases, profile_phrases
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.model.catalogue import Catalogue

ITEMS = (
    Item("0", "Fell Boots", "Fell & Co", ("Outdoors", "Hiking", "Hiking Boots")),
    Item("1", "Trail Poles", "", ("Outdoors", "Hiking", "Hiking Poles")),
    Item("2", "Proving Basket for Bread Baking", "", ("Kitchen", "Baskets")),
    Item("3", "Silicone Mould", "", ("Kitchen", "Baking")),
    Item("4", "Hiking Club Umbrella", "Hiking Club", ("Outdoors", "Umbrellas")),
    Item("5", "铸铁锅", "", ("厨房", "烘焙")),
    Item("6", "面包烘焙材料包", "", ("厨房", "材料")),
)
TERMS = CategoryTerms(Catalogue(ITEMS))


def phrase_for(profile: Profile, row: int) -> tuple[str, str] | None:
    phrases = profile_phrases(profile, TERMS)
    place = linked_phrases(phrases, ITEMS, range(len(ITEMS)), TERMS)[row]
    return (phrases[place].name, phrases[place].text) if place >= 0 else None


def about(text: str) -> Profile:
    return Profile("", (("interests", text),))


@pytest.mark.parametrize(
    ("text", "row", "phrase"),
    [
        ("chess, baking bread, hiking", 3, "baking bread"),
        ("chess; baking bread and hiking", 3, "baking bread"),
        ("chess; baking bread and hiking", 0, "hiking"),
        ("HIKING boot", 0, "HIKING boot"),
        ("hiking, hiking boots", 0, "hiking boots"),  # the longest term of the categories
        ("baking bread", 2, "baking bread"),  # by the title
        ("hiking", 4, None),  # the brand is no link
        ("outdoors", 0, None),  # the department says little
        ("chess", 3, None),
        ("喜欢烘焙、摄影", 5, "喜欢烘焙"),
        ("在家烘焙面包，养着一罐酸面团酵种", 5, "在家烘焙面包"),
        ("烘焙；骑行", 6, "烘焙"),
        ("", 0, None),
    ],
)
def test_phrase_with_a_visible_link_is_found(text: str, row: int, phrase: str | None) -> None:
    assert phrase_for(about(text), row) == (None if phrase is None else ("interests", phrase))


@pytest.mark.parametrize(
    ("text", "row", "term"),
    [
        ("Goes hiking every single weekend of the year", 0, "hiking"),
        ("周末总是在家里的厨房烘焙各种各样的面包", 5, "烘焙"),
    ],
)
def test_term_of_a_phrase_that_is_too_long_stands_in_no_attribute(text: str, row: int, term: str) -> None:
    assert phrase_for(about(text), row) == ("", term)


def test_phrase_of_the_free_text_has_no_name() -> None:
    assert phrase_for(Profile("Hiking, chess"), 0) == ("", "Hiking")


def test_phrases_of_a_long_profile_are_limited() -> None:
    assert len(profile_phrases(about("hiking, " * 500), TERMS)) == MAX_PHRASES
