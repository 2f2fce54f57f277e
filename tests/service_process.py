"""A real `recsvc serve` in a process of its own, for tests of the whole service."""

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

START_SECONDS = 60


class ServiceProcess:
    """Starts on free ports and waits until it serves. `log` has every structured line it wrote so far.

    port: 0 takes any free one.
    """

    def __init__(
        self, bundle: Path, data_dir: Path, redis_url: str | None = None, port: int = 0, **settings: object
    ) -> None:
        self.log: list[dict[str, object]] = []
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RECSVC_")}
        environment |= {f"RECSVC_{name.upper()}": str(value) for name, value in settings.items()}
        if redis_url is not None:
            environment["RECSVC_REDIS_URL"] = redis_url
        command = [sys.executable, "-m", "recsvc", "serve", "--bundle", str(bundle), "--data-dir", str(data_dir)]
        self.process = subprocess.Popen(
            [*command, "--port", str(port), "--metrics-port", "0", "--log-format", "json"],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started: queue.Queue[dict[str, object] | None] = queue.Queue()
        threading.Thread(target=self._read, args=(started,), daemon=True).start()
        line = started.get(timeout=START_SECONDS)
        assert line is not None, f"the service did not start: {self.log}"
        self.port, self.metrics_port = int(str(line["port"])), int(str(line["metrics_port"]))
        self.address = f"127.0.0.1:{self.port}"

    def _read(self, started: "queue.Queue[dict[str, object] | None]") -> None:
        assert self.process.stderr is not None
        for text in self.process.stderr:
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
