"""Imports flow one way, and a machine checks it: the contracts stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_no_file_is_named_after_nothing() -> None:
    homeless = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "processor", "base", "misc"}
    named = [path for folder in ("deploy", "recsvc", "training", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert named
    assert not [path for path in named if path.stem in homeless]
