"""The synthetic shop reads like a shop: titles, brands, categories, prices and profiles in both languages."""

import dataclasses
import re
from collections import Counter

import numpy as np
import polars as pl
import pytest

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.reasons import ReasonWriter
from tests.recsvc.reasons.reason_samples import MUG, evidence_for
from training.synthetic.shop import SyntheticShop, make_shop
from training.synthetic.words import Category, Vocabulary, read_vocabulary

CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What a Chinese title may hold beside Chinese: sizes, units and model numbers.
LATIN_SIZE = re.compile(r"(\d*(A|B|EF|F|M|S|L|XL|GB)\d*|[\d×:.-]+)$")


@pytest.fixture(scope="module", params=["en", "zh"])
def vocabulary(request) -> Vocabulary:
    return read_vocabulary(request.param)


@pytest.fixture(scope="module")
def shop(vocabulary) -> SyntheticShop:
    return make_shop(2_000, 1_000, seed=11, language=vocabulary.language)


def test_a_vocabulary_has_many_departments(vocabulary):
    types = Counter(category.department for category in vocabulary.categories for _ in category.types)
    sensitive = types.pop("Health", 0) or types.pop("健康", 0)
    assert sensitive == 6
    assert len(types) >= 12
    assert min(types.values()) >= 8


def test_sensitive_items_are_few(vocabulary, shop):
    departments = shop.items["categories"].str.split(" > ").list.first()
    share = departments.is_in([vocabulary.categories[-1].department]).mean()
    assert 0 < share < 0.02


def test_accessories_name_product_types_of_the_shop(vocabulary):
    names = {kind.name for category in vocabulary.categories for kind in category.types}
    assert len(names) == sum(len(category.types) for category in vocabulary.categories)
    assert {name for category in vocabulary.categories for kind in category.types for name in kind.accessories} <= names


def test_no_list_of_words_repeats_an_entry(vocabulary):
    for category in vocabulary.categories:
        for words in (category.brands, category.lines, category.about):
            assert len(set(words)) == len(words)
        for kind in category.types:
            for options in (kind.variants, kind.finishes):
                assert len({option.text for option in options}) == len(options)


def test_titles_have_no_empty_slots(shop):
    for title in shop.items["title"]:
        assert 4 <= len(title) <= 100
        assert not re.search(r"[{}|*@;]|None|\bnan\b|  | ,|,$|^,", title)
        assert title == title.strip()
    assert shop.items["title"].n_unique() == len(shop.items)


def test_titles_begin_with_their_brand(shop):
    assert shop.items.select(pl.col("title").str.starts_with(pl.col("brand")).all()).item()


def test_category_paths_have_three_levels_that_the_vocabulary_knows(vocabulary, shop):
    known = {f"{c.department} > {c.name} > {kind.name}" for c in vocabulary.categories for kind in c.types}
    assert set(shop.items["categories"]) == known


def test_english_titles_repeat_no_word():
    for category in read_vocabulary("en").categories:
        for kind in category.types:
            for line in ("", *category.lines):
                for use in ("", *kind.uses):
                    for variant in kind.variants:
                        for finish in kind.finishes:
                            title = f"{line} {variant.text} {kind.noun} {use}, {finish.text}".lower()
                            words = [word for word in re.findall(r"[\w'.]+", title) if word not in {"for", "x", "of"}]
                            assert max(Counter(words).values()) == 1, title


def test_a_chinese_shop_is_written_in_chinese():
    shop = make_shop(2_000, 1_000, seed=11, language="zh")
    assert set(shop.items["currency"]) == {"CNY"}
    for text in (*shop.items["brand"], *shop.items["categories"].unique()):
        assert not re.search(r"[A-Za-z]", text)
        assert CHINESE.search(text)
    for title in shop.items["title"]:
        assert len(CHINESE.findall(title)) >= 4
        latin = re.findall(r"[A-Za-z0-9×:.-]+", title)
        assert all(LATIN_SIZE.match(word) for word in latin), title
    for about in shop.users["about"].drop_nulls():
        assert re.fullmatch(r"[\u4e00-\u9fff，。；、]+。", about), about


def test_an_english_shop_is_written_in_english(vocabulary):
    shop = make_shop(2_000, 1_000, seed=11)
    assert set(shop.items["currency"]) == {"GBP"}
    for text in (*shop.items["title"], *shop.users["about"].drop_nulls()):
        assert not CHINESE.search(text)
    for about in shop.users["about"].drop_nulls():
        assert re.fullmatch(r"[A-Z].+\.", about)


def test_chinese_profiles_share_words_with_their_category():
    """The default text encoder reads English: in Chinese it is the lexical embedding that matches a profile."""
    categories = read_vocabulary("zh").categories
    for category in categories:
        for about in category.about:
            assert bigrams(about) & category_bigrams(category), about


def bigrams(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


def category_bigrams(category: Category) -> set[str]:
    found = bigrams(category.name)
    for kind in category.types:
        found |= bigrams(kind.name)
        for variant in kind.variants:
            found |= bigrams(variant.text + kind.noun)
    return found


def test_prices_scatter_around_the_median_of_their_type(vocabulary, shop):
    listed = {kind.name: kind.price for category in vocabulary.categories for kind in category.types}
    types = shop.items["categories"].str.split(" > ").list.last().to_list()
    ratio = np.log(shop.items["price"].to_numpy() / np.array([listed[name] for name in types]))
    assert abs(np.median(ratio)) < 0.15
    assert 0.2 < ratio.std() < 0.7
    assert shop.items["price"].min() > 0
    np.testing.assert_allclose(shop.items["price"], np.round(shop.items["price"].to_numpy(), 2))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_item_of_the_health_department_is_never_named_in_a_reason(language):
    """The synthetic shops' own: whatever a title says, what stands beneath it is private."""
    categories = read_vocabulary(language).categories
    of_health = [category for category in categories if category.department in ("Health", "健康")]
    titles = [
        (f"Brand {variant.text} {each.noun}", (category.department, category.name, each.name))
        for category in of_health
        for each in category.types
        for variant in each.variants
    ]
    assert len(titles) > 10
    writer = ReasonWriter()
    for title, path in titles:
        anchor = Item("anchor", title, categories=path)
        evidence = evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, anchor=anchor)
        assert writer.write_page([(MUG, (evidence,))], language, 0) == [None], title
        without = dataclasses.replace(anchor, categories=())
        assert writer.write_page([(MUG, (dataclasses.replace(evidence, anchor=without),))], language, 0) == [None], (
            title
        )
