"""Tables and blocks of the pages that repeat the code say what the code says."""

import inspect
import re
import runpy
import tomllib

import prometheus_client
import yaml  # type: ignore[import-untyped]

from recsvc.model.towers.blocks import BLOCKS
from recsvc.ranking import rank
from recsvc.runtime import metrics
from recsvc.settings import Settings, WorkerSettings
from recsvc.v1 import explain_pb2, recommendation_pb2
from tests.docs.pages import PAGES, ROOT, blocks, name_of

OPERATING = (ROOT / "docs/operating.md").read_text("utf-8")
OBSERVABILITY = (ROOT / "docs/observability.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")


def rows(text: str, first_heading: str) -> list[list[str]]:
    """The cells of the rows of the table whose first column has this heading."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_heading} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_the_reference_of_the_settings_is_the_one_that_the_code_makes() -> None:
    script = runpy.run_path(str(ROOT / "docs/make_settings_reference.py"))
    assert (ROOT / "docs/settings.md").read_text("utf-8") == script["page"](), "run `make docs-api`"


def test_the_reference_of_the_settings_has_every_flag_of_both_commands() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    for name in Settings.model_fields.keys() | WorkerSettings.model_fields.keys():
        assert page.count(f"`--{name.replace('_', '-')}`") >= 1


def test_the_table_of_metrics_has_every_metric_and_its_kind() -> None:
    documented = {
        name: kind for names, kind, _ in rows(OBSERVABILITY, "metric") for name in re.findall(r"recsvc_[a-z_]+", names)
    }
    assert metrics.REQUESTS  # which registers them all
    families = prometheus_client.REGISTRY.collect()
    assert documented == {family.name: family.type for family in families if family.name.startswith("recsvc_")}


def test_the_table_of_obstacles_has_all_that_the_contract_has() -> None:
    documented = {name for names, *_ in rows(OPERATING, "obstacle") for name in re.findall(r"OBSTACLE_[A-Z_]+", names)}
    assert documented == set(explain_pb2.Obstacle.keys()) - {"OBSTACLE_UNSPECIFIED"}


def test_the_table_of_surfaces_has_all_that_the_contract_has() -> None:
    table = rows((ROOT / "docs/surfaces.md").read_text("utf-8"), "surface")
    documented = [name for names, *_ in table for name in re.findall(r"SURFACE_[A-Z_]+", names)]
    assert sorted(documented) == sorted(set(recommendation_pb2.Surface.keys()) - {"SURFACE_UNSPECIFIED"})


def test_the_signature_of_rank_is_the_one_of_the_code() -> None:
    [block] = blocks(ARCHITECTURE, "python")
    documented = re.findall(r"^    (\w+)(?:=(\w+))?,$", block.text, re.MULTILINE)
    parameters = inspect.signature(rank).parameters.values()
    assert [name for name, _ in documented] == [parameter.name for parameter in parameters]
    assert [bool(default) for _, default in documented] == [p.default is not p.empty for p in parameters]


def test_the_table_of_blocks_has_the_blocks_of_the_code() -> None:
    documented = {name.split(" ")[0] for name, *_ in rows(ARCHITECTURE, "block")}
    assert documented == set(BLOCKS)


def test_the_import_directions_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers" and c["containers"] == ["recsvc"])
    documented = next(block.text for block in blocks(ARCHITECTURE) if block.text.startswith("__main__\n"))
    assert documented.split("\n")[:-1] == layers


def test_the_table_of_rooms_has_every_room() -> None:
    folders = {path.parent.name for path in (ROOT / "recsvc").glob("*/__init__.py")} - {"v1"}
    documented = {re.findall(r"\[(\w+)\]", room)[0] for room, _ in rows(ARCHITECTURE, "room")}
    assert documented == folders
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {folder for folder in folders if f"(recsvc/{folder})" not in readme} == set()
    trained = {path.parent.name for path in (ROOT / "training").glob("*/__init__.py")}
    assert {folder for folder in trained if f"(training/{folder})" not in readme} == set()


def test_every_decision_is_in_the_list_with_its_number() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    listed = rows((ROOT / "docs/decisions/README.md").read_text("utf-8"), "no.")
    links = [re.findall(r"\[(\d+)\]\((.+?)\)", number)[0] for number, *_ in listed]
    assert [(int(page.name[:4]), page.name) for page in pages] == [(int(number), name) for number, name in links]
    for page in pages:
        assert page.read_text("utf-8").startswith(f"# {int(page.name[:4])}. ")


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    settings = yaml.safe_load((ROOT / "properdocs.yml").read_text("utf-8"))
    decisions = {name_of(page) for page in (ROOT / "docs/decisions").glob("[0-9]*.md")}  # their own list links to them
    assert set(_leaves(settings["nav"])) == {name_of(page) for page in PAGES} - decisions


def _leaves(entry: object) -> list[str]:
    """The pages of a part of the navigation: a page, a list of parts, or parts by title."""
    match entry:
        case dict():
            return [leaf for part in entry.values() for leaf in _leaves(part)]
        case list():
            return [leaf for part in entry for leaf in _leaves(part)]
        case _:
            return [str(entry)]
