"""Imports flow one way, and a machine checks it: the contracts stand in pyproject.toml."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("recsvc", "training", "deploy")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([linter, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_import_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("recsvc/added.py", "import redis", "redis only in the store"),
        ("recsvc/added.py", "import grpc", "grpc only at the edge"),
        ("recsvc/added.py", "from recsvc.v1 import users_pb2", "wire types stop at the edge"),
        ("recsvc/added.py", "import training.config", "serving knows nothing of training"),
        ("training/added.py", "import recsvc.store.keys", "training imports the lower floors, never the edge"),
        ("deploy/storefront/added.py", "import recsvc.errors", "the storefront knows the contract alone"),
    ],
)
def test_an_import_in_a_wrong_place_is_refused(tmp_path: Path, path: str, line: str, contract: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / path).open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout
    [broken] = [text for text in result.stdout.splitlines() if "BROKEN" in text]
    assert contract in broken


def test_no_file_is_named_after_nothing() -> None:
    homeless = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "processor", "base", "misc"}
    named = [path for folder in ("deploy", "recsvc", "training", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert named
    assert not [path for path in named if path.stem in homeless]
