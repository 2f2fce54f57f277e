"""Fixtures for tests of any floor."""

import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis

from recsvc.model import text_encoders
from recsvc.reasons.authors import chat_completions
from recsvc.store.embedded import redis_server_binary
from recsvc.store.permissions import acl_rules
from tests.chat_endpoint import ChatEndpoint
from tests.service_process import ServiceProcess
from tests.serving_bundle import make_serving_bundle

# Fixtures with shops and a trained bundle, where training is installed.
pytest_plugins = ["tests.trained"] if importlib.util.find_spec("polars") else []

# A machine that is busy fails no test.
# The same examples in every run: what fails then is the change that is tested. `--hypothesis-profile=search` looks for
# new ones.
hypothesis.settings.register_profile("recsvc", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("recsvc")


# Fixtures and folders whose tests start a Redis, and those that train: `make test-fast` leaves them out.
REDIS_FIXTURES = {"redis_server", "shared_redis", "start_service", "endpoint"}
REDIS_FOLDERS = (
    *("tests/recsvc/store", "tests/recsvc/service/test_serving.py", "tests/recsvc/test_cli.py"),
    *(
        "tests/integration",
        "tests/observability",
        "tests/stateful",
        "tests/faults",
        "tests/deploy",
        "tests/benchmarks",
        "tests/training/demo",
    ),
)
TRAINING_FIXTURES = {"trained_bundle", "embedded"}
TRAINING_FOLDERS = (
    *("tests/training/fitting", "tests/training/evaluation", "tests/training/reason_evaluation"),
    "tests/training/test_",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & REDIS_FIXTURES or item.nodeid.startswith(REDIS_FOLDERS):
            item.add_marker("redis")
        if fixtures & TRAINING_FIXTURES or item.nodeid.startswith(TRAINING_FOLDERS):
            item.add_marker("training")
    # Files with long tests first: the short ones then keep both workers busy until the end.
    longest_first = ("training", "redis")
    files: dict[Path, list[bool]] = {}
    for item in items:
        marks = [item.get_closest_marker(name) is None for name in longest_first]
        files[item.path] = min(files.get(item.path, marks), marks)
    items.sort(key=lambda item: files[item.path])


# The user of the service in all tests: it may do what the ACL that is delivered permits, in any namespace.
USER = "shop"
RULES = f"on nopass {acl_rules('recsvc').replace('{recsvc:', '{')}".split()


class RedisServer:
    """A real redis-server on a unix socket, with an append-only file: what it had is there after kill() and start().

    `url` is for the service, which has the permissions of deploy/redis/users.acl alone. The socket is open to all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{USER}:any@{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(redis_server_binary(), "--port", "0", "--unixsocket", str(self.socket)),
                *("--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "no", "--save", ""),
                *("--user", USER, *RULES),
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


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    # Not tmp_path: the path of a unix socket may have 107 bytes, and pytest's folders can be deep.
    folder = Path(tempfile.mkdtemp(prefix="recsvc-test-"))
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One server for all tests of a worker that neither kill it nor look at the keys of others."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def one_text_encoder() -> Iterator[None]:
    """Each real text encoder is loaded once for all tests of a worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_encoders, "load", functools.cache(text_encoders.load))
        yield


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle of 400 items that was made without training."""
    return make_serving_bundle(tmp_path_factory.mktemp("serving"))


@pytest.fixture
def start_service(small_bundle: Path, tmp_path: Path) -> Iterator[Callable[..., ServiceProcess]]:
    """Starts `recsvc serve` in processes of their own; `bundle` and `data_dir` have defaults. All are killed after."""
    started: list[ServiceProcess] = []

    def start(
        bundle: Path = small_bundle,
        data_dir: Path = tmp_path / "data",
        redis_url: str | None = None,
        **settings: Any,
    ) -> ServiceProcess:
        started.append(ServiceProcess(bundle, data_dir, redis_url, **settings))
        return started[-1]

    yield start
    for service in started:
        service.kill()


@pytest.fixture
def start_replicas(start_service: Callable[..., ServiceProcess]) -> Callable[..., list[ServiceProcess]]:
    """Starts two of one Redis, side by side."""

    def start(**settings: object) -> list[ServiceProcess]:
        with ThreadPoolExecutor(2) as starting:
            return list(starting.map(lambda _: start_service(**settings), range(2)))

    return start


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatEndpoint]:
    """A server of chat completions that answers as it is told; whoever asks it here tries again at once."""
    monkeypatch.setattr(chat_completions, "RETRY_SECONDS", 0.01)
    endpoint = ChatEndpoint()
    yield endpoint
    endpoint.close()
