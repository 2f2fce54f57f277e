"""The service as a child process, started like any other and stopped in order."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from recsvc.errors import RecsvcError

START_SECONDS = 120.0
STOP_SECONDS = 20.0
SHOWN_LOG_LINES = 8


class ServiceFailed(RecsvcError):
    """The service did not start, or ended by itself. The message has its last log lines."""


@dataclass(frozen=True)
class RunningService:
    """host: where it listens. port: the one it got. log: its structured log lines."""

    host: str
    port: int
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def target(self) -> str:
        return f"{self.host}:{self.port}"

    def wait(self) -> None:
        """Returns never. Raises ServiceFailed when the process ends."""
        self.process.wait()
        raise ServiceFailed(f"the service ended by itself:\n{_last_lines(self.log)}")


@contextmanager
def running_service(bundle: Path, data_dir: Path, log: Path, port: int = 0) -> Iterator[RunningService]:
    """`recsvc serve` with a private Redis, until the block is left. port 0: any free one. Raises ServiceFailed."""
    log.parent.mkdir(parents=True, exist_ok=True)
    # What the operator has set for a service of their own, a Redis above all, is not the demo's to use.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECSVC_")}
    command = [sys.executable, "-m", "recsvc", "serve", "--bundle", str(bundle), "--data-dir", str(data_dir)]
    command += ["--port", str(port), "--metrics-port", "0", "--log-format", "json"]
    # Added to, never emptied: it may be the log of one that is running, which is why this one will not start.
    with log.open("ab") as lines:
        start = lines.tell()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=lines, env=environment)
    try:
        host, bound = _until_serving(process, log, start)
        yield RunningService(host, bound, log, process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_serving(process: "subprocess.Popen[bytes]", log: Path, start: int) -> tuple[str, int]:
    """The host and port of the line "serving", which the process writes to its log after `start` bytes."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_bytes()[start:].splitlines():
            with suppress(ValueError):  # not every line is JSON, and the last may not be whole yet
                told = json.loads(line)
                if isinstance(told, dict) and told.get("event") == "serving":
                    return told["host"], told["port"]
        time.sleep(0.05)
    how = "did not start" if process.poll() is not None else f"was not serving after {START_SECONDS:.0f} s"
    raise ServiceFailed(f"the service {how}; the last lines of {log}:\n{_last_lines(log)}")


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines)
