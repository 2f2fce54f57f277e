"""A bundle of an earlier format is converted in its folder or beside it, with its report, if it is unaltered."""

import json
import shutil
from pathlib import Path

import pytest

from recsvc.__main__ import main
from recsvc.model import bundle_files
from tests.recsvc.stored_bundle import BUNDLE_ID, EARLIER_BUNDLE, EARLIER_ID


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(EARLIER_BUNDLE, tmp_path / EARLIER_ID))
    (folder / "report.html").write_text("a report")
    return folder


def test_a_bundle_is_converted_in_its_folder_also_through_a_link(
    earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latest = earlier.with_name("latest")
    latest.symlink_to(earlier.name)
    before = json.loads((earlier / bundle_files.MANIFEST).read_text())
    assert main(["bundles", "convert", str(latest)]) == 0
    assert capsys.readouterr().out == f"{latest} is bundle {BUNDLE_ID}\n"
    assert bundle_files.load(latest).bundle_id == BUNDLE_ID
    manifest = bundle_files.read_manifest(earlier)
    assert (manifest["created"], manifest["data"]) == (before["created"], before["data"])
    assert (earlier / "report.html").read_text() == "a report"
    assert not (earlier / "catalogue.jsonl").exists()
    assert sorted(path.name for path in earlier.parent.iterdir()) == [EARLIER_ID, "latest"]
    assert main(["bundles", "convert", str(earlier)]) == 2
    assert "has bundle format 8: only bundles of formats 6 and 7 are converted" in capsys.readouterr().err


def test_another_folder_keeps_the_earlier_bundle_and_must_be_new(
    earlier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bundles", "convert", str(earlier), "--to", str(tmp_path / "new")]
    assert main(command) == 0
    assert bundle_files.load(tmp_path / "new").bundle_id == BUNDLE_ID
    assert bundle_files.bundle_id_of(earlier) == EARLIER_ID
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err


def test_an_altered_bundle_is_refused_and_left_as_it_is(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (earlier / "catalogue.jsonl").open("a") as file:
        file.write("\n")
    assert main(["bundles", "convert", str(earlier)]) == 2
    assert "catalogue.jsonl is not the file that the manifest describes" in capsys.readouterr().err
    assert [path.name for path in earlier.parent.iterdir()] == [EARLIER_ID]
