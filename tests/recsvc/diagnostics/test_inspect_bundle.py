"""`recsvc inspect`: what a bundle holds, in text; and one line for a folder that is not a sound bundle."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recsvc.__main__ import main
from recsvc.model import bundle_files
from recsvc.model.towers.blocks import BLOCKS
from tests.recsvc.stored_bundle import STORED_BUNDLE


@pytest.fixture
def bundle_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORED_BUNDLE, tmp_path / "bundle"))


def test_the_manifest_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(STORED_BUNDLE)]) == 0
    manifest = json.loads((STORED_BUNDLE / bundle_files.MANIFEST).read_text())
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["bundle", manifest["bundle_id"]] in lines
    assert ["format", "8"] in lines
    assert ["text", "vectors", "none:"] in [line[:3] for line in lines]
    assert ["created", manifest["created"]] in lines
    assert ["events", "1,962"] in lines
    assert ["first", "event", manifest["data"]["first_event"]] in lines
    assert ["last", "event", manifest["data"]["last_event"]] in lines
    assert ["items", "48"] in lines
    for name in bundle_files.FILES:
        assert [name, f"{(STORED_BUNDLE / name).stat().st_size:,}"] in lines
    assert ["ndcg@10", "0.5509", "0.4374", "to", "0.6702"] in lines


def test_each_block_is_shown_with_its_width_and_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(STORED_BUNDLE)]) == 0
    fusion = json.loads((STORED_BUNDLE / bundle_files.MANIFEST).read_text())["model"]["fusion"]
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.strip()}
    layout = bundle_files.load(STORED_BUNDLE).layout
    for name, columns in zip(BLOCKS, layout, strict=True):
        width = columns.stop - columns.start
        assert rows[name] == [str(width), f"{fusion['warm'][name]:.4f}", f"{fusion['cold'][name]:.4f}"]


def test_a_manifest_with_missing_details_is_shown_as_unknown(
    bundle_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = bundle_copy / bundle_files.MANIFEST
    manifest = json.loads(file.read_text())
    for name in ("created", "data", "evaluation", "ready"):
        del manifest[name]
    file.write_text(json.dumps(manifest))
    assert main(["inspect", str(bundle_copy)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["created", "unknown"] in lines
    assert ["ready", "unknown"] in lines
    assert ["ndcg@10", "unknown", "unknown", "to", "unknown"] in lines


def test_an_altered_file_is_one_clear_line(bundle_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (bundle_copy / bundle_files.ITEMS).open("a") as file:
        file.write("\n")
    assert main(["inspect", str(bundle_copy)]) == 2
    out, problem = capsys.readouterr()
    assert out == ""
    [line] = problem.splitlines()
    assert "item_vectors.npy is not the file that the manifest describes" in line


def test_a_folder_without_a_manifest_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"recsvc: {tmp_path} is not a bundle")


def test_the_width_of_the_text_vectors_is_shown(small_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(small_bundle)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["format", str(bundle_files.FORMAT_VERSION)] in lines
    assert ["text", "vectors", "384", "int8", "an", "item"] in lines


def test_a_reader_that_ends_early_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)  # as `head` does when it has its lines
    command = [sys.executable, "-m", "recsvc", "inspect", str(STORED_BUNDLE)]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")
