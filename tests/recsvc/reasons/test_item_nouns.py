"""How the names of items agree: "these" of boots, "the" before a mug, and which need a name serves."""

import pytest

from recsvc.reasons.seller_text.item_nouns import is_plural, needs_served, takes_article
from recsvc.reasons.seller_text.word_order import as_said


@pytest.mark.parametrize(
    "name",
    [
        "Walking Boots", "Racing Swimming Goggles", "Nickel Guitar Strings", "Party Bags", "Tea Towels",
        "Carrot Seeds for Pots", "Plasters in Tin Spaceboy", "60 Cake Cases Vintage Christmas", "6 Gift Tags",
        "Kitchen Knives", "Wellington Boots",
    ],
)  # fmt: skip
def test_plural_is_called_these(name):
    assert is_plural(name)
    assert not takes_article(name)


@pytest.mark.parametrize(
    "name",
    [
        "Blue Mug", "Beard Oil for Short Beards", "Lunch Bag Woodland Animals", "Regency Teapot Roses",
        "Set of 3 Cake Tins", "Rocking Horse Green Christmas", "Cat Food", "Cabinet 3 Drawers", "Grow Your Own Herbs",
        "The Hunger Games", "12 Pencils Tall Tube", "1 Cake Cases", "2 Daisies Hair Comb", "Chess", "Canvas",
        "Snakes & Ladders", "钓鱼 Boots", "",
    ],
)  # fmt: skip
def test_name_that_may_be_one_thing_is_called_this(name):
    assert not is_plural(name)


def test_brand_is_no_part_of_the_noun():
    assert is_plural("Hook & Heather Knitting Needles", "Hook & Heather")
    assert not is_plural("Reeves", "Reeves")


def test_title_of_a_book_or_film_says_nothing_of_its_number():
    assert not is_plural("Great Expectations", "", ("Media", "Books"))
    assert is_plural("Great Expectations")


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("Blue Mug", True), ("Silica Cat Litter", False), ("Blue-Black Ink", False), ("Sun Cream SPF 50", False),
        ("Butterfly Earrings Crystal", True), ("Paper Bag", True), ("The Hobbit", False), ("My First Kite", False),
        ("A5 Notebook", True), ("Jam Jar with Pink Lid", True), ("Gift Bag Silver Paper", True),
    ],
)  # fmt: skip
def test_article_stands_before_one_thing_alone(name, takes):
    assert takes_article(name) is takes


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("RED KITCHEN SCALES", "IVORY KITCHEN SCALES", True),
        ("LUNCH BAG RED RETROSPOT", "LUNCH BAG SUKI DESIGN", True),
        ("SPACEBOY LUNCH BOX", "SPACEBOY LUNCH BAG", False),
        ("DOLLY GIRL LUNCH BOX", "CHILDS BREAKFAST SET DOLLY GIRL", False),
        ("DOLLY GIRL LUNCH BOX", "SPACEBOY LUNCH BOX", True),
        ("Wet-Weather Chain Lube, 100 ml", "Dry Chain Lube, 250 ml", True),
        ("JAM MAKING SET WITH JARS", "JAM JAR WITH PINK LID", False),
        ("SET OF 60 PANTRY DESIGN CAKE CASES", "SET OF 3 CAKE TINS PANTRY DESIGN", False),
        ("Hand Soap for Families", "Hand Soap for Guests", True),
    ],
)
def test_names_of_one_need_share_a_noun(one, other, share):
    assert bool(needs_served(one) & needs_served(other)) is share


def test_need_of_a_chinese_name_is_not_known():
    assert needs_served("午餐盒") == frozenset()
    assert needs_served("") == frozenset()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Jumbo Bag Spaceboy Design", "Spaceboy Jumbo Bag"),
        ("Lunch Bag Red Retrospot", "Red Retrospot Lunch Bag"),
        ("60 Cake Cases Vintage Christmas", "Vintage Christmas Cake Cases"),
        ("Tea Towel Set Red", "Red Tea Towel Set"),
        ("Dog Bowl Vintage Cream", "Vintage Cream Dog Bowl"),
        # The words leave a doubt, or the order is right.
        ("Red Retrospot Lunch Bag", "Red Retrospot Lunch Bag"),
        ("Wine Bottle Opener", "Wine Bottle Opener"),
        ("Bag Red", "Bag Red"),
        ("Jam Jar with Pink Lid", "Jam Jar with Pink Lid"),
        ("Glass Jar English Confectionery", "Glass Jar English Confectionery"),
        ("Lunch Bag Holder Design", "Lunch Bag Holder Design"),
        ("Print", "Print"),
        ("", ""),
    ],
)
def test_design_behind_the_thing_comes_first(name, said):
    assert as_said(name) == said
    assert as_said(said) == said
