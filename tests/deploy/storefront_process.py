"""Runs the storefront in a process of its own, as it is started in production."""

import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

START_SECONDS = 60
ROOT = Path(__file__).parents[2]


class StorefrontProcess:
    """A storefront on a free port, ready when this returns. `log` has the lines of its stderr.

    It waits long for lists, because the machine may be busy.
    """

    def __init__(self, service: str, items: Path, *more: str) -> None:
        self.log: list[str] = []
        command = [sys.executable, "-m", "deploy.storefront", "--service", service, "--items", str(items)]
        self.process = subprocess.Popen(
            [*command, "--port", "0", "--patience", "20", *more],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        first_lines: queue.Queue[str] = queue.Queue()
        stdout = self.process.stdout
        assert stdout is not None
        threading.Thread(target=lambda: first_lines.put(stdout.readline()), daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()
        line = first_lines.get(timeout=START_SECONDS)
        assert "http://" in line, f"the storefront did not start: {self.log}"
        self.address = line.split()[-1].rstrip("/")

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def stop(self) -> int:
        """Stops it like Ctrl-C, and returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)
