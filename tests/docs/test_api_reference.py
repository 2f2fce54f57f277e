"""The API reference in docs/api is the one that the protos generate, and every element of a proto has a comment."""

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs/api"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/make_api_reference.py, which is in no package."""
    spec = importlib.util.spec_from_file_location("make_api_reference", ROOT / "docs/make_api_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(generator: ModuleType) -> dict[str, str]:
    made: dict[str, str] = generator.Reference(generator.read_protos()).pages()
    return made


def changed_protos(folder: Path, file: str, declaration: str, comment: str = "", body: str = "") -> Path:
    """A copy of the protos in which the declaration has another comment, or none, and more lines after it."""
    shutil.copytree(ROOT / "protos", folder)
    proto = folder / "recsvc/v1" / file
    before = re.compile(rf"(?m)^(?: *//.*\n)+ *{re.escape(declaration)}.*\n")
    text, changes = before.subn(f"{comment}{declaration}\n{body}", proto.read_text(encoding="utf-8"))
    assert changes == 1
    proto.write_text(text, encoding="utf-8")
    return folder


def undocumented(generator: ModuleType, protos: Path) -> list[str]:
    return [name for file in generator.read_protos(protos) for name in file.undocumented()]


def headings(page: str) -> list[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them from words without punctuation."""
    titles = re.findall(r"(?m)^#+ (.+)$", page)
    return [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]


def test_committed_reference_is_what_protos_generate(pages: dict[str, str]) -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.glob("*.md")}
    different = [name for name in sorted({*pages, *committed}) if pages.get(name) != committed.get(name)]
    assert not different, "run `make docs-api`"


def test_changed_comment_changes_its_page_only(generator: ModuleType, pages: dict[str, str], tmp_path: Path) -> None:
    declaration = "EVENT_TYPE_PURCHASE = 1;"
    protos = changed_protos(tmp_path / "protos", "events.proto", declaration, "// Somebody paid.\n")
    changed = generator.Reference(generator.read_protos(protos)).pages()
    assert [name for name in pages if pages[name] != changed[name]] == ["events.md"]
    assert "| `EVENT_TYPE_PURCHASE` | 1 | Somebody paid. |" in changed["events.md"].splitlines()


def test_every_proto_element_has_a_comment(generator: ModuleType) -> None:
    assert undocumented(generator, generator.PROTOS) == []


@pytest.mark.parametrize(
    ("file", "declaration", "name"),
    [
        ("events.proto", 'syntax = "proto3";', "events.proto"),
        ("events.proto", "service EventService {", "EventService"),
        ("models.proto", "rpc RollBack(RollBackRequest) returns (RollBackResponse) {", "ModelService.RollBack"),
        ("events.proto", "message WriteEventsRequest {", "WriteEventsRequest"),
        ("events.proto", "EventType event_type = 4;", "Event.event_type"),
        ("content.proto", "oneof buyers {", "ContentAudience.buyers"),
        ("events.proto", "enum EventType {", "EventType"),
        ("events.proto", "EVENT_TYPE_PURCHASE = 1;", "EVENT_TYPE_PURCHASE"),
    ],
)
def test_element_without_comment_is_found(
    generator: ModuleType, tmp_path: Path, file: str, declaration: str, name: str
) -> None:
    assert undocumented(generator, changed_protos(tmp_path / "protos", file, declaration)) == [name]


def test_every_link_leads_to_a_heading(pages: dict[str, str]) -> None:
    anchors = {name: headings(page) for name, page in pages.items()}
    assert all(len(set(found)) == len(found) for found in anchors.values())  # a second one would get another anchor
    links = [(name, link) for name, page in pages.items() for link in re.findall(r"\]\(([^)]+)\)", page)]
    assert len(links) > 100
    for name, link in links:
        page, _, anchor = link.partition("#")
        assert anchor in anchors[page or name], f"{name}: {link}"


def test_every_table_row_has_the_cells_of_its_head(pages: dict[str, str]) -> None:
    tables = [table[0].splitlines() for page in pages.values() for table in re.finditer(r"(?m)(?:^\|.*\n)+", page)]
    assert sum(map(len, tables)) > 300
    for head, *rows in tables:
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {head.count("|")}


def test_inner_message_is_refused(generator: ModuleType, tmp_path: Path) -> None:
    declaration = "message WriteEventsRequest {"
    protos = changed_protos(tmp_path / "protos", "events.proto", declaration, body="message Inner {}\n")
    with pytest.raises(ValueError, match="WriteEventsRequest: move its inner types out of it"):
        generator.read_protos(protos)
