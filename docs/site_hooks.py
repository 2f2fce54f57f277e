"""Hooks of the docs site: its pages are the Markdown files of the repository, in the repository's own layout.

A relative link then works in both places. A link to a source file or folder becomes plain text on the site. A link to
nothing stays as it is, and the strict build fails on it.
"""

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files
from properdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Beside docs/: the pages that stand where a reader of the repository looks for them.
OUTSIDE = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "training/README.md",
    "deploy/README.md",
    "deploy/storefront/README.md",
    "deploy/ALERTS.md",
    "deploy/OPERATIONS.md",
    "findings/README.md",
)

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\[]*)\]\((?P<target>[^()\s]+)\)")
_CODE = re.compile(r"^(```|~~~).*?^\1|^(?: {4}|\t).*?$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """Names each page and picture by its path in the repository, and adds the pages that stand outside docs/."""
    named = [f"docs/{file.src_uri}" for file in files if file.is_documentation_page() or _is_picture(file)]
    named += [path for path in OUTSIDE if (ROOT / path).is_file()]
    others = [
        file
        for file in files
        if not (file.is_documentation_page() or _is_picture(file) or file.src_uri.endswith(".py"))
    ]
    return Files([File.generated(config, path, abs_src_path=str(ROOT / path)) for path in named] + others)


def _is_picture(file: File) -> bool:
    """Whether a page can show the file: the theme has pictures of its own, which are not in docs/."""
    return file.src_uri.endswith(".svg") and (ROOT / "docs" / file.src_uri).is_file()


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
    """Turns links to files that are no pages of the site into plain text."""

    def shown(link: re.Match[str]) -> str:
        path = repository_path(page.file.src_uri, link["target"])
        if path is None or files.get_file_from_path(path) is not None or not (ROOT / path).exists():
            return link[0]
        return link["text"]

    parts, end = [], 0
    for code in _CODE.finditer(markdown):
        parts += [_LINK.sub(shown, markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _LINK.sub(shown, markdown[end:])])


def repository_path(page: str, target: str) -> str | None:
    """The file or folder that a relative link means, from the root of the repository; None for any other link."""
    path = unquote(target.partition("#")[0])
    if not path or path.startswith(("/", "mailto:")) or "://" in path:
        return None
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / path).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
    return "/".join(parts)
