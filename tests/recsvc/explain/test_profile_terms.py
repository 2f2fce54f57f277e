"""Which words of the categories a profile mentions."""

import pytest

from recsvc.domain.shop import Item
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.model.catalogue import Catalogue

PATHS = [
    ("Outdoors", "Hiking", "Hiking Boots"),
    ("Outdoors", "Hiking", "Hiking Poles"),
    ("Home", "Care Products"),
    ("Toys & Games", "Board Games"),
    ("Toys & Games", "Card Games"),
    ("运动", "骑行", "自行车灯"),
    ("运动", "骑行", "自行车锁"),
    ("手工", "摄影器材"),
    ("手工", "摄影背包"),
    ("Food&Drink",),
    (),
]
WORDS = CategoryTerms(Catalogue([Item(str(i), "", categories=path) for i, path in enumerate(PATHS)]))


def named(text: str, row: int) -> str | None:
    code = WORDS.shared(row, WORDS.mentioned(text))
    return WORDS.names[code] if code >= 0 else None


@pytest.mark.parametrize(
    ("text", "row", "word"),
    [
        ("Out hiking every month.", 0, "Hiking"),
        ("Needs new hiking boots", 0, "Hiking Boots"),
        ("HIKING BOOT", 0, "Hiking Boots"),
        ("Needs new hiking boots", 1, "Hiking"),
        ("hikes", 0, None),
        ("Plays board games.", 3, "Board Games"),
        ("Plays card games.", 3, "Games"),
        ("Loves the outdoors", 0, None),
        ("Home care", 2, None),
        ("每天骑自行车上班", 5, "自行车"),
        ("每天骑行", 5, "骑行"),
        ("自行决定", 5, None),
        ("街头摄影", 7, "摄影"),
        ("买了摄影器材", 7, "摄影器材"),
        ("影器", 7, None),
        ("food and drink", 9, None),
        ("hiking", 10, None),
        ("", 0, None),
    ],
)
def test_the_longest_word_that_both_have(text, row, word):
    assert named(text, row) == word


def test_words_do_not_run_over_the_end_of_a_sentence():
    assert named("喜欢自行。车很多", 5) is None


def test_a_profile_of_any_length_is_read_in_bounded_work():
    assert WORDS.mentioned("摄影" * 100_000) == WORDS.mentioned("摄影")
