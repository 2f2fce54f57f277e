"""A real `recsvc serve` in a process of its own, for tests of the whole service."""

import atexit
import functools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import grpc

from tests.warm_process import CLOCK_AHEAD, WarmProcess, WarmProcesses

START_SECONDS = 60


@functools.cache
def _warm_processes() -> WarmProcesses:
    processes = WarmProcesses()
    atexit.register(processes.close)
    return processes


class ServiceProcess:
    """Starts on free ports and waits until it serves. `log` has every structured line it wrote so far.

    Args:
        bundle: To serve.
        data_dir: Of the private Redis.
        redis_url: Of a Redis in place of the private one.
        port: 0 takes any free one.
        warm: Whether to fork a process that has imported the service, which saves seconds.
        clock_ahead_seconds: How far the clock of the process is ahead of the others'. Of a warm process alone.
        start_seconds: How long it may take to start.
        settings: More settings by name.
    """

    def __init__(
        self,
        bundle: Path,
        data_dir: Path,
        redis_url: str | None = None,
        port: int = 0,
        *,
        warm: bool = True,
        clock_ahead_seconds: float = 0.0,
        start_seconds: float = START_SECONDS,
        **settings: object,
    ) -> None:
        self.log: list[dict[str, object]] = []
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RECSVC_")}
        environment |= {f"RECSVC_{name.upper()}": str(value) for name, value in settings.items()}
        if clock_ahead_seconds:
            assert warm
            environment[CLOCK_AHEAD] = str(clock_ahead_seconds)
        if redis_url is not None:
            environment["RECSVC_REDIS_URL"] = redis_url
        arguments = ["serve", "--bundle", str(bundle), "--data-dir", str(data_dir), "--port", str(port)]
        arguments += ["--metrics-port", "0", "--log-format", "json"]
        reader, writer = os.pipe()
        self.process: subprocess.Popen[bytes] | WarmProcess
        if warm:
            self.process = _warm_processes().start(arguments, environment, writer)
        else:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recsvc", *arguments], stderr=writer, env=environment
            )
        os.close(writer)
        self._stderr = os.fdopen(reader, encoding="utf-8", errors="replace")
        started: queue.Queue[dict[str, object] | None] = queue.Queue()
        threading.Thread(target=self._read, args=(started,), daemon=True).start()
        try:
            line = started.get(timeout=start_seconds)
        except queue.Empty:
            self.kill()  # nobody else knows of it
            raise
        assert line is not None, f"the service did not start: {self.log}"
        self.port, self.metrics_port = int(str(line["port"])), int(str(line["metrics_port"]))
        self.address = f"127.0.0.1:{self.port}"

    def _read(self, started: "queue.Queue[dict[str, object] | None]") -> None:
        with self._stderr:
            for text in self._stderr:
                try:
                    line = json.loads(text)
                except ValueError:
                    line = {"event": text.rstrip()}
                self.log.append(line)
                if line.get("event") == "serving":
                    started.put(line)
        started.put(None)

    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(self.address)

    def metric(self, name: str, **labels: str) -> float:
        """The value of one sample as Prometheus sees it; 0 when it is not there yet."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        for line in lines:
            sample, _, value = line.rpartition(" ")
            found, _, inside = sample.partition("{")
            if found == name and wanted <= set(inside.rstrip("}").split(",")):
                return float(value)
        return 0.0

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
