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


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages and of their contracts, to be broken."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_import_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("recsvc/users/added.py", "import redis", "redis only in the store"),
        ("recsvc/users/added.py", "import grpc", "grpc only at the edge"),
        ("recsvc/users/added.py", "from recsvc.v1 import users_pb2", "wire types stop at the edge"),
        ("recsvc/users/added.py", "import training.config", "serving knows nothing of training"),
        ("training/data/added.py", "import recsvc.store.keys", "training never imports the edge"),
        ("deploy/storefront/added.py", "import recsvc.errors", "the storefront imports the contract alone"),
        ("recsvc/users/added.py", "import recsvc.pipeline.slate", "recsvc imports downwards"),
        ("recsvc/users/added.py", "import deploy.storefront", "serving knows nothing of training"),
        ("recsvc/v1/added.py", "import recsvc.server", "recsvc imports downwards"),
        ("training/fitting/added.py", "import recsvc.diagnostics.doctor", "training never imports the edge"),
        ("deploy/storefront/added.py", "import redis", "the storefront imports the contract alone"),
        ("training/data/added.py", "import training.fitting.fusion", "training imports downwards"),
        ("recsvc/explain/facts.py", "import recsvc.model.bundle", "ranking and evidence know arrays alone"),
    ],
)
def test_an_import_in_a_wrong_place_is_refused(copy: Path, path: str, line: str, contract: str) -> None:
    with (copy / path).open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout
    [broken] = [text for text in result.stdout.splitlines() if "BROKEN" in text]
    assert contract in broken


@pytest.mark.parametrize("path", ["recsvc/added.py", "recsvc/added/__init__.py", "training/added.py"])
def test_a_module_outside_of_the_layers_is_refused(copy: Path, path: str) -> None:
    (copy / path).parent.mkdir(exist_ok=True)
    (copy / path).touch()
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout
    assert "added" in result.stdout


def test_no_file_is_named_after_nothing() -> None:
    homeless = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "processor", "base", "misc"}
    named = [path for folder in ("deploy", "recsvc", "training", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert named
    assert not [path for path in named if path.stem in homeless]
