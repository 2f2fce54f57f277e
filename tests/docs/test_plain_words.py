"""The pages are short where they must be, and written in plain words."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name_of, prose

# Words of the old, literary style, each with what to write instead.
HARD_WORDS = {
    r"anew": "again",
    r"of late": "recently",
    r"told by": "identified by",
    r"told apart": "distinguished",
    r"mend(?:s|ed|ing)?": "fix, correct",
    r"whoever": "the person, the caller",
    r"lets? pass": "accepts, matches",
    r"come to nothing": "have no effect",
    r"is wanted": "is requested",
    r"worked out": "computed",
    r"next to nothing": "almost nothing",
    r"so many": "how many, as a number",
}
README_LINES = 120
# Its samples are sentences of the service.
LEFT_OUT = {"docs/reason-samples.md"}


def hard_words(text: str) -> list[str]:
    found = [match[0] for pattern in HARD_WORDS for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE)]
    return sorted(found)


@pytest.mark.parametrize("page", [page for page in PAGES if name_of(page) not in LEFT_OUT], ids=name_of)
def test_a_page_has_no_hard_words(page: Path) -> None:
    assert hard_words(prose(page.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The vector is computed anew.", ["anew"]),
        ("What sold of late was mended.", ["mended", "of late"]),
        ("An amendment, a newer vector and a lamend.", []),
    ],
)
def test_hard_words_are_found_as_whole_words(text: str, words: list[str]) -> None:
    assert hard_words(text) == words


def test_the_readme_is_two_screens() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= README_LINES
