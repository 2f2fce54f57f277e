"""The code in the README and in the pages of docs/ works as it stands there."""

import gzip
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recsvc.pipeline.placements import Placements
from tests.docs.pages import ROOT, blocks
from tests.recsvc.access.credentials import Certified, KeysFile
from tests.service_process import ServiceProcess
from training.data.shop import read_shop
from training.search_evaluation.written_queries import read_written_queries

ADDRESS = "127.0.0.1:50051"
# Every page with Python to run, and how many blocks it has. The blocks of a page run in order, in one namespace.
PYTHON_PAGES = {
    "README.md": 1,
    "docs/surfaces.md": 7,
    "docs/catalogue-and-users.md": 3,
    "docs/copy.md": 1,
    "docs/kill-switches.md": 1,
    "docs/language-models.md": 1,
    "docs/operating.md": 1,
}
# Its one block is a signature, which tests/docs/test_tables.py compares with the code.
SIGNATURE_PAGE = "docs/architecture.md"
# Its one block converts files of another publisher.
CONVERTING_PAGE = "docs/public-data.md"
# Its one block needs TLS and a key.
ACCESS_PAGE = "docs/access.md"


@pytest.fixture(scope="module")
def service(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    process = ServiceProcess(small_bundle, tmp_path_factory.mktemp("readme"), store_timeout=5)
    yield process
    process.kill()


# Connections keep Node running: it ends when nothing was printed for a while, or at all.
END_WHEN_QUIET = """
const print = console.log;
let quiet = setTimeout(() => process.exit(0), 10000);
console.log = (...values) => {
  print(...values);
  clearTimeout(quiet);
  quiet = setTimeout(() => process.exit(0), 1500);
};
"""


def read(page: str, language: str) -> list[str]:
    return [block.text for block in blocks((ROOT / page).read_text("utf-8"), language)]


def test_every_page_with_python_is_run() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")]
    names = {page.relative_to(ROOT).as_posix() for page in pages}
    with_python = {name: len(found) for name in names if (found := read(name, "python"))}
    assert with_python == PYTHON_PAGES | {SIGNATURE_PAGE: 1, CONVERTING_PAGE: 1, ACCESS_PAGE: 1}
    assert {name for name in names if read(name, "js")} == {"README.md", "docs/surfaces.md", ACCESS_PAGE}
    assert {name for name in names if read(name, "toml")} == {"docs/placements.md", "docs/search.md"}


def test_the_python_with_tls_and_a_key_gets_a_list(
    start_service: Callable[..., ServiceProcess],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    certified, keys = Certified(tmp_path), KeysFile(tmp_path / "keys.toml")
    monkeypatch.setenv("RECSVC_API_KEY", keys.add("storefront", ["recommend"]))
    service = start_service(keys_file=keys.path, **certified.settings())
    (block,) = read(ACCESS_PAGE, "python")
    monkeypatch.chdir(tmp_path)  # where the CA is
    assert block.count("recsvc.shop.example:50051") == 1
    exec(block.replace("recsvc.shop.example:50051", f"localhost:{service.port}"), {})  # noqa: S102  of our own page
    assert capsys.readouterr().out.count("item_id: ") >= 3


def test_the_python_for_public_data_makes_the_tables_of_a_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviews = [
        {"reviewerID": f"A{n % 3}", "asin": f"00{n % 2}", "unixReviewTime": 1_390_694_400 + 86_400 * n}
        for n in range(6)
    ]
    about = [
        {
            "asin": "000",
            "title": 'A kid\'s "toy"',
            "price": 3.5,
            "categories": [["Toys & Games", "Puzzles"]],
            "brand": "B",
        },
        {"asin": "001", "categories": [["Toys & Games"]]},
        {"asin": "002", "categories": [["Toys & Games"]]},
    ]
    with gzip.open(tmp_path / "reviews_Toys_and_Games_5.json.gz", "wt") as file:
        file.writelines(json.dumps(review) + "\n" for review in reviews)
    with gzip.open(tmp_path / "meta_Toys_and_Games.json.gz", "wt") as file:
        file.writelines(f"{item!r}\n" for item in about)
    monkeypatch.chdir(tmp_path)
    exec(read(CONVERTING_PAGE, "python")[0], {})  # noqa: S102  it is ours
    shop = read_shop(tmp_path / "toys")
    assert (len(shop.events), shop.items["item_id"].to_list()) == (6, ["000", "001"])
    assert shop.items["title"].to_list() == ['A kid\'s "toy"', ""]


@pytest.mark.parametrize("page", PYTHON_PAGES)
def test_the_python_of_a_page_runs(page: str, service: ServiceProcess, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in read(page, "python"):
        exec(block.replace(ADDRESS, service.address), names)  # noqa: S102  it is ours
    printed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    if page == "README.md":
        assert printed == ["1", "2", "3", "4", "5"]
    if page == "docs/copy.md":
        assert {"title.v1", "description.v1", "campaign.v1"} <= set(printed)
    if page == "docs/catalogue-and-users.md":
        assert printed == ["True"]
    if page == "docs/language-models.md":
        assert printed == ["list"]  # without a language model nothing follows
    if page == "docs/operating.md":
        assert len(printed) >= 2  # where the item stands, and what its score consists of


@pytest.mark.parametrize(
    ("page", "printed"),
    [("README.md", "5 i"), ("docs/surfaces.md", "gift_item_ids: [ 'i00001' ]")],
)
def test_the_javascript_of_a_page_runs(
    page: str, printed: str, service: ServiceProcess, node_modules: Path, tmp_path: Path
) -> None:
    [block] = read(page, "js")
    script = tmp_path / "page.js"
    script.write_text(block.replace(ADDRESS, service.address) + END_WHEN_QUIET)
    environment = {**os.environ, "NODE_PATH": str(node_modules)}
    command = ["node", str(script)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Error" not in done.stdout
    assert printed in done.stdout
    if page == "docs/surfaces.md":
        assert done.stdout.count("recommendation_id") >= 10


def test_the_placements_of_the_page_are_read(tmp_path: Path) -> None:
    [block] = read("docs/placements.md", "toml")
    file = tmp_path / "shop.toml"
    file.write_text(block)
    assert Placements.load(file).names == {("", ""), ("home", "control"), ("home", "diverse"), ("basket", "control")}


def test_the_search_queries_of_the_page_are_read(tmp_path: Path) -> None:
    [block] = read("docs/search.md", "toml")
    file = tmp_path / "queries.toml"
    file.write_text(block)
    [query] = read_written_queries(file)["test"]
    assert query.text == "footwear for climbing hills"
