"""podman with a store of its own, so that no image or container of the machine's own is touched."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BUILD_SECONDS = 1_800
CALL_SECONDS = 300  # other calls wait while an image is written

# Works with each runtime and without systemd. A container has as many descriptors and processes as on a usual machine.
_CONFIG = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
"""


class Engine:
    """Runs podman and podman-compose.

    Args:
        folder: For images and containers. Layers stay there, so that a second run builds in seconds.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        runtime = next(name for name in ("runc", "crun") if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin"))
        config = folder / "containers.conf"
        config.write_text(_CONFIG.format(runtime=runtime))
        self.program = folder / "podman"
        self.program.write_text(
            f'#!/bin/sh\nCONTAINERS_CONF={config} exec podman --root {folder}/store --runroot {folder}/run "$@"\n'
        )
        self.program.chmod(0o755)

    def run(self, *arguments: str | Path, seconds: float = CALL_SECONDS, check: bool = True) -> str:
        """Runs podman, and returns what it prints without the last line break."""
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=seconds, check=False)
        assert done.returncode == 0 or not check, f"podman {arguments[0]}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout.rstrip("\n")

    def has_image(self, name: str) -> bool:
        done = subprocess.run([self.program, "image", "exists", name], check=False, timeout=CALL_SECONDS)
        return done.returncode == 0

    def is_healthy(self, container: str) -> bool:
        done = subprocess.run(
            [self.program, "healthcheck", "run", container], capture_output=True, check=False, timeout=CALL_SECONDS
        )
        return done.returncode == 0

    def build(self, context: Path, file: Path, name: str, *options: str) -> None:
        """Builds an image with pip's local sources, if there are any, at the paths that they have here."""
        mounts = [part for path in pip_folders() for part in ("--volume", f"{path}:{path}:ro")]
        arguments = ["build", "--layers", "--network", "host", *mounts, "--file", str(file), "--tag", name, *options]
        self.run(*arguments, context, seconds=BUILD_SECONDS)

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        [details] = json.loads(self.run(kind, "inspect", name))
        return dict(details)


def pip_settings() -> dict[str, str]:
    """What pip is told on this machine, by option."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.partition("=") for line in listed.splitlines())
    return {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in pairs}


def pip_folders() -> Sequence[Path]:
    """The folders of this machine that pip takes packages and constraints from."""
    words = " ".join(pip_settings().values()).replace("\\n", " ").split()
    paths = [Path(word.removeprefix("file://")) for word in words if word.removeprefix("file://").startswith("/")]
    folders = {path if path.is_dir() else path.parent for path in paths if path.exists()}
    folders -= {path for path in folders if path.is_relative_to("/etc/ssl")}
    # A simple index points at files beside it.
    return sorted(path.parent if path.name == "simple" else path for path in folders)
