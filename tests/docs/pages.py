"""The pages of the documentation, and the code that they quote."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "findings").glob("*.md"),
        ROOT / "training/README.md",
        ROOT / "deploy/README.md",
        ROOT / "deploy/storefront/README.md",
        *(ROOT / "deploy").glob("*.md"),
    ]
)

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n+)+")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LIST_ITEM = re.compile(r"\s+(?:[-*]|\d+\.)\s")


class Block(NamedTuple):
    """A block of code. `language` is empty for an indented block and for a fence without a language."""

    language: str
    text: str


def name_of(page: Path) -> str:
    """The path of a page from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, language: str | None = None) -> list[Block]:
    """The blocks of code of a page, or those of one language, in their order."""
    found = [Block(match[1], match[2]) for match in _FENCED.finditer(text)]
    if language is not None:
        return [block for block in found if block.language == language]
    rest = _FENCED.sub("", text)
    return found + [Block("", match[0]) for match in _INDENTED.finditer(rest) if not _LIST_ITEM.match(match[0])]


def inline_codes(text: str) -> list[str]:
    """What stands between single backticks outside blocks of code."""
    return [match[1] for match in _INLINE.finditer(_FENCED.sub("", text))]


def prose(text: str) -> str:
    """A page without its code."""
    rest = _FENCED.sub("", text)
    return _INLINE.sub("", _INDENTED.sub("\n", rest))


def command_lines(text: str) -> Iterator[str]:
    """Every line that a reader could type, in shell and indented blocks and inline code. Continued lines are joined."""
    for block in blocks(text):
        if block.language in ("", "sh"):
            yield from block.text.replace("\\\n", " ").splitlines()
    yield from inline_codes(text)
