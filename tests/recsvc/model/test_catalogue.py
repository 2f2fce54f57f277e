"""A catalogue of columns gives back its items, also those that came or changed later, and earlier copies stay."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.shop import Item
from recsvc.model.catalogue import Catalogue
from recsvc.model.columns import DistinctTexts
from recsvc.model.item_columns import ItemColumns

ITEMS = [
    Item("a", "Tee, grün", "Ärger", ("Küche", "Tee"), 3.5, "EUR", (("size", "1 kg"), ("size", "2 kg"), ("", "x"))),
    Item("b", "", categories=('["x"',), attributes=(("size", "1 kg"), ("size", "1 kg"))),
    Item("ключ", "茶杯", "Ärger", ("Küche", "Tee"), 0.0, "GBP"),
    Item("", "no id", "B", ("Küche",)),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(ItemColumns.read(ItemColumns.of(ITEMS).arrays()))


def test_items_and_rows_are_given_back(catalogue: Catalogue) -> None:
    assert list(catalogue.items) == ITEMS
    assert catalogue.items == tuple(ITEMS)
    assert catalogue.items[-1] == ITEMS[-1]
    assert catalogue.items[1:3] == tuple(ITEMS[1:3])
    assert [catalogue.row(item.item_id) for item in ITEMS] == [0, 1, 2, 3]
    assert catalogue.rows(["c", "ключ", "a", "\ud800", "aa"]).tolist() == [2, 0]
    assert "b" in catalogue
    assert "c" not in catalogue
    for row in (4, -5):
        with pytest.raises(IndexError):
            catalogue.items[row]


def test_rows_are_found_by_brand_path_and_attribute(catalogue: Catalogue) -> None:
    assert catalogue.brands.having(["Ärger"]).tolist() == [True, False, True, False]
    assert catalogue.brands.having(["Ärger", "B", "C", ""]).tolist() == [True, False, True, True]
    assert catalogue.paths.mask(lambda path: "Tee" in path).tolist() == [True, False, True, False]
    assert catalogue.attributes["size", "1 kg"].tolist() == [0, 1]
    assert not len(catalogue.attributes["size", "3 kg"])


def test_texts_with_equal_hashes_are_told_apart_by_their_bytes() -> None:
    arrays = DistinctTexts.of(["one", "two", "three"]).arrays("n")
    arrays["n.hashes"] = np.full(3, DistinctTexts.of(["two"]).arrays("n")["n.hashes"][0])
    assert DistinctTexts.read("n", arrays).find("two") == 1


def test_an_upsert_makes_a_copy_and_leaves_the_earlier_one(catalogue: Catalogue) -> None:
    moved = replace(ITEMS[0], brand="New", categories=("Garden",), attributes=(("size", "2 kg"), ("colour", "red")))
    later = catalogue.with_items([moved, Item("e", "Spade", "B", ("Garden",), attributes=(("colour", "red"),))])
    latest = later.with_items([Item("f", "Hoe", "Ärger"), replace(ITEMS[1], title="reworded")])
    assert list(catalogue.items) == ITEMS
    assert catalogue.row("e") is None
    assert catalogue.brands.having(["Ärger"]).tolist() == [True, False, True, False]
    assert catalogue.attributes["size", "1 kg"].tolist() == [0, 1]
    assert len(later) == 5
    assert later.row("f") is None
    assert later.brands.having(["New", "B"]).tolist() == [True, False, False, True, True]
    assert later.paths.mask(lambda path: path == ("Garden",)).tolist() == [True, False, False, False, True]
    assert later.attributes["size", "1 kg"].tolist() == [1]
    assert later.attributes["colour", "red"].tolist() == [0, 4]
    assert later.items[1].title == ""
    assert latest.items[1].title == "reworded"
    assert latest.brands.having(["Ärger"]).tolist() == [False, False, True, False, False, True]
    assert latest.brands.name(latest.brands.codes[0]) == "New"
    assert [latest.row(item_id) for item_id in ("a", "e", "f")] == [0, 4, 5]
    assert latest.version == 2
    stored = Catalogue(latest.columns)
    assert stored.items == latest.items
    np.testing.assert_array_equal(stored.prices, latest.prices)
