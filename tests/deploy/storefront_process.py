"""The storefront as it is started, in a process of its own."""

import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

START_SECONDS = 60
ROOT = Path(__file__).parents[2]


class StorefrontProcess:
    """On a free port; ready once it is made. Patient, as the machine may be busy. `log` has each line of its stderr."""

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
        said: queue.Queue[str] = queue.Queue()
        assert self.process.stdout is not None
        threading.Thread(target=lambda: said.put(self.process.stdout.readline()), daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()
        line = said.get(timeout=START_SECONDS)
        assert "http://" in line, f"the storefront did not start: {self.log}"
        self.address = line.split()[-1].rstrip("/")

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def stop(self) -> int:
        """As Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)
