"""Runs the service as a child process, started and stopped as in production."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from recsvc.errors import RecsvcError

START_SECONDS = 120.0
STOP_SECONDS = 20.0
MAX_LOG_LINES = 8  # of a failed service, in the error


class ServiceFailed(RecsvcError):
    """The service did not start, or stopped by itself. The message has its last log lines."""


@dataclass(frozen=True)
class RunningService:
    """A running service. host, port: where it listens. log: the file with its log lines."""

    host: str
    port: int
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def target(self) -> str:
        """Its address, host:port."""
        return f"{self.host}:{self.port}"

    def wait(self) -> NoReturn:
        """Waits until the process ends, and then raises ServiceFailed."""
        self.process.wait()
        raise ServiceFailed(f"the service stopped by itself:\n{_last_lines(self.log)}")


@contextmanager
def running_service(bundle: Path, data_dir: Path, log: Path, port: int = 0) -> Iterator[RunningService]:
    """Runs `recsvc serve` with a private Redis while the block runs.

    Args:
        bundle: The bundle to serve.
        data_dir: The folder of the private Redis.
        log: The file that log lines are added to.
        port: The port to listen on. 0: any free one.

    Raises:
        ServiceFailed: The service did not start.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # The operator's own settings, above all the address of a Redis, must not be used by the demo.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECSVC_")}
    command = [sys.executable, "-m", "recsvc", "serve", "--bundle", str(bundle), "--data-dir", str(data_dir)]
    command += ["--port", str(port), "--metrics-port", "0", "--log-format", "json"]
    # Never truncated: another service may be writing to this log, and be the reason why this one does not start.
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
    """Waits for the log line "serving" after `start` bytes of the log, and returns its host and port."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_bytes()[start:].splitlines():
            with suppress(ValueError):  # not every line is JSON, and the last one may be incomplete
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("event") == "serving":
                    return entry["host"], entry["port"]
        time.sleep(0.05)
    failure = "did not start" if process.poll() is not None else f"was not serving after {START_SECONDS:.0f} s"
    raise ServiceFailed(f"the service {failure}; the last lines of {log}:\n{_last_lines(log)}")


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-MAX_LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines)
