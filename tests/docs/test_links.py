"""Every relative link and picture of a page leads to a file or folder, and every anchor to a heading."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, blocks, name_of

_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+?) *$", re.MULTILINE)
_MARKUP = re.compile(r"[`*]|\[([^\]]*)\]\([^)]*\)")
_LEFT_OUT = re.compile(r"[^\w\- ]")
_EXTERNAL = ("http://", "https://", "mailto:")


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings get in the repository."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        slug = _LEFT_OUT.sub("", _MARKUP.sub(r"\1", heading).lower()).replace(" ", "-")
        numbered = (slug if n == 0 else f"{slug}-{n}" for n in range(100))
        found.add(next(name for name in numbered if name not in found))
    return found


def broken_links(text: str, folder: Path, own: Path | None = None) -> list[str]:
    """The relative links of a page in `folder` that lead nowhere. `own` is the page itself, for links within it."""
    found = []
    for target in _LINK.findall(_INLINE.sub("", _FENCED.sub("", text))):
        if target.startswith(_EXTERNAL):
            continue
        path, _, anchor = target.partition("#")
        file = folder / path if path else own
        if file is None or not file.exists() or not file.resolve().is_relative_to(ROOT):
            found.append(target)
            continue
        if anchor and (file.suffix != ".md" or anchor not in anchors(file.read_text("utf-8"))):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert broken_links(page.read_text("utf-8"), page.parent, page) == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("[a](nowhere.md)", "nowhere.md"),
        ("![a](nowhere.svg)", "nowhere.svg"),
        ("[a](../recsvc/nowhere.py)", "../recsvc/nowhere.py"),
        ("[a](surfaces.md#nowhere)", "surfaces.md#nowhere"),
        ("[a](../recsvc/ranking.py#L3)", "../recsvc/ranking.py#L3"),
        ("[a](#nowhere)", "#nowhere"),
        ("[a](../../elsewhere)", "../../elsewhere"),
    ],
)
def test_a_link_to_nothing_is_found(text: str, target: str) -> None:
    page = ROOT / "docs/glossary.md"
    assert broken_links(f"before {text} after", page.parent, page) == [target]


def test_links_in_code_and_links_to_other_hosts_are_left_alone() -> None:
    text = "`[a](nowhere.md)`\n\n```\n[a](nowhere.md)\n```\n\n[a](https://example.org/nowhere) [b](surfaces.md#filters)"
    assert broken_links(text, ROOT / "docs") == []


def test_anchors_are_those_of_the_repository() -> None:
    text = "# Has the list seen `my` event?\n\n## A, b\n\n## A, b\n\n```\n# no heading\n```\n"
    assert anchors(text) == {"has-the-list-seen-my-event", "a-b", "a-b-1"}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in _LINK.findall(page.read_text("utf-8")):
            file = (page.parent / target.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.is_file():
                waiting.append(file)
    assert {name_of(page) for page in PAGES} - {name_of(page) for page in reached} == set()


def test_blocks_are_told_apart_by_language() -> None:
    text = "a\n\n```python\nx = 1\n```\n\n    indented\n\nb\n"
    assert [(block.language, block.text.strip()) for block in blocks(text)] == [("python", "x = 1"), ("", "indented")]
