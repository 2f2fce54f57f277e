"""The docs site is built strictly, and holds every page; a broken link fails the build."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import PAGES, ROOT, name_of

PICTURE = re.compile(r"!\[[^\]]*\]\(([^()\s]+)\)")
NETWORK = re.compile(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["'](?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = _build(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs/site_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _build(folder: Path, configuration: Path = ROOT / "properdocs.yml") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "properdocs", "build", "--strict", "-f", str(configuration), "-d", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_site_has_every_page(site: Path) -> None:
    for page in PAGES:
        file = site / name_of(page).replace("README.md", "index.html").replace(".md", ".html")
        heading = page.read_text("utf-8").splitlines()[0].removeprefix("# ")
        assert re.sub(r"[`*]", "", heading)[:20].replace('"', "&quot;") in file.read_text("utf-8").replace(
            "&#x27;", "'"
        )


def test_pictures_of_pages_are_on_the_site(site: Path) -> None:
    pictures = [(page.parent / name).relative_to(ROOT) for page in PAGES for name in PICTURE.findall(page.read_text())]
    assert len(pictures) >= 4
    assert [picture for picture in pictures if not (site / picture).is_file()] == []


def test_a_page_of_the_site_loads_nothing_from_other_hosts(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) >= len(PAGES)
    assert [page.name for page in pages if NETWORK.search(page.read_text("utf-8"))] == []


def test_the_site_leaves_out_its_own_hooks(site: Path) -> None:
    assert list(site.rglob("*.py")) == []


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("[rank](../recsvc/ranking.py)", "rank"),
        ("[rooms](../recsvc/service)", "rooms"),
        ("[lists](surfaces.md#filters)", "[lists](surfaces.md#filters)"),
        ("[nothing](../recsvc/nowhere.py)", "[nothing](../recsvc/nowhere.py)"),
        ("[other](https://example.org)", "[other](https://example.org)"),
        ("`[rank](../recsvc/ranking.py)`", "`[rank](../recsvc/ranking.py)`"),
    ],
)
def test_a_link_to_a_source_file_becomes_text_and_others_stay(hooks: ModuleType, link: str, shown: str) -> None:
    page = _Page("docs/glossary.md")
    assert hooks.on_page_markdown(f"a {link} b", page, _Files({"docs/surfaces.md"})) == f"a {shown} b"


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "index.md").write_text("# A page\n\n[nothing](nowhere.md)\n")
    configuration = tmp_path / "properdocs.yml"
    settings = (ROOT / "properdocs.yml").read_text("utf-8")
    settings = settings[: settings.index("\nnav:")].replace("docs/site_hooks.py", str(ROOT / "docs/site_hooks.py"))
    without_hooks = re.sub(r"\nhooks:\n.*?\n\n", "\n", settings, flags=re.DOTALL)
    configuration.write_text(without_hooks + "\nnav:\n  - Page: index.md\n")
    done = _build(tmp_path / "site", configuration)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr


class _Page:
    def __init__(self, path: str) -> None:
        self.file = _File(path)


class _File:
    def __init__(self, path: str) -> None:
        self.src_uri = path


class _Files:
    def __init__(self, paths: set[str]) -> None:
        self._paths = paths

    def get_file_from_path(self, path: str) -> object:
        return path if path in self._paths else None
