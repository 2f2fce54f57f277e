"""Fixtures of the tests that need the packages of tests/integration/node."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from recsvc.model.bundle_files import load

ROOT = Path(__file__).parents[2]
NODE_CLIENT = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The packages of tests/integration/node, installed once for each package.json. Skips where there is no Node."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} on PATH (Node 18 or newer)")
    package = NODE_CLIENT / "package.json"
    folder = ROOT / "var" / "node" / hashlib.sha256(package.read_bytes()).hexdigest()[:16]
    if not folder.is_dir():
        part = folder.with_name(f"{folder.name}.{os.getpid()}")  # another run may be installing too
        part.mkdir(parents=True)
        shutil.copy(package, part)
        # Scripts of packages are not run: nothing here needs one.
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=part, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stderr}"
        if not folder.is_dir():
            part.rename(folder)
    return folder / "node_modules"


@pytest.fixture
def bought(small_bundle: Path) -> tuple[str, ...]:
    """Eight items of two categories of different departments, in turn: what one shopper buys."""
    items = load(small_bundle).catalogue.items
    cookware, books = (
        [item.item_id for item in items if item.categories[1] == name] for name in ("Cookware", "Cookery Books")
    )
    return tuple(item_id for pair in zip(cookware[:4], books[:4], strict=True) for item_id in pair)
