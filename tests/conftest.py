"""Fixtures for tests of any floor."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from recsvc.store.embedded import redis_server_binary


class RedisServer:
    """A real redis-server on a unix socket, with an append-only file: what it had is there after kill() and start()."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(redis_server_binary(), "--port", "0", "--unixsocket", str(self.socket)),
                *("--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "no", "--save", ""),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_for_redis(redis.Redis(unix_socket_path=str(self.socket)))

    def kill(self) -> None:
        """As kill -9: connections break, new ones are refused."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """As a hung machine: connections are taken, no answer comes."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)


def wait_for_redis(client: redis.Redis) -> None:
    """Returns when a server that was just started answers. Closes the client."""
    deadline = time.monotonic() + 30
    with client:
        while True:
            with suppress(redis.RedisError):
                client.ping()
                return
            assert time.monotonic() < deadline, "redis-server does not come up"
            time.sleep(0.005)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    # Not tmp_path: the path of a unix socket may have 107 bytes, and pytest's folders can be deep.
    folder = Path(tempfile.mkdtemp(prefix="recsvc-test-"))
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
