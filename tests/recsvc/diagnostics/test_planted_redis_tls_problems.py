"""`recsvc doctor` finds each of these faults in TLS to Redis, and names the remedy."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from recsvc.diagnostics.doctor import examine
from tests.conftest import RedisServer, wait_for_redis
from tests.recsvc.access.credentials import HOST, Certified
from tests.recsvc.store.free_ports import free_ports
from tests.recsvc.stored_bundle import STORED_BUNDLE

SERVER = shutil.which("redis-server")  # the one that tests bring has no TLS
pytestmark = pytest.mark.skipif(SERVER is None, reason="needs a redis-server with TLS on PATH")
Flags = dict[str, object]


@pytest.fixture(scope="module")
def tls_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flags]:
    """Settings for a Redis that asks its clients for a certificate."""
    folder = tmp_path_factory.mktemp("redis")
    tls, [port] = certified(folder / "tls"), free_ports(1)
    files = ("--tls-cert-file", tls.chain, "--tls-key-file", tls.key, "--tls-ca-cert-file", tls.ca_file)
    command = [SERVER, "--port", "0", "--tls-port", port, "--dir", folder, "--appendonly", "yes", "--save", "", *files]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL) as server:
        own = {"ssl_ca_certs": str(tls.ca_file), "ssl_certfile": str(tls.chain), "ssl_keyfile": str(tls.key)}
        wait_for_redis(redis.Redis(host=HOST, port=port, ssl=True, **own))  # type: ignore[arg-type]
        yield {
            "redis_url": f"rediss://{HOST}:{port}/0",
            "redis_ca": tls.ca_file,
            "redis_cert": tls.chain,
            "redis_key": tls.key,
        }
        server.kill()


@pytest.fixture
def flags(tls_redis: Flags, monkeypatch: pytest.MonkeyPatch) -> Flags:
    for name in ("RECSVC_BUNDLE", "RECSVC_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tls_redis | {"bundle": STORED_BUNDLE, "port": 0, "metrics_port": 0, "store_timeout": 5}


@pytest.fixture
def other(tmp_path: Path) -> Certified:
    """Files of another CA."""
    return certified(tmp_path / "other")


def certified(folder: Path) -> Certified:
    tls = Certified(folder)
    tls.key.chmod(0o600)
    return tls


def lines_but_ok(flags: Flags) -> list[str]:
    lines: list[str] = []
    examine({name: value for name, value in flags.items() if value is not None}, lines.append)
    return [line for line in lines if not line.startswith("OK")]


def plain(flags: Flags) -> Flags:
    url = str(flags["redis_url"]).replace("rediss", "redis")
    return {"redis_url": url, "redis_ca": None, "redis_cert": None, "redis_key": None}


Plant = Callable[[Flags, Certified], Flags]
PLANTED: dict[str, tuple[Plant, str, str]] = {
    "another CA": (lambda _, other: {"redis_ca": other.ca_file}, "redis", "set redis_ca to the file of its CA"),
    "no CA": (lambda *_: {"redis_ca": None}, "redis", "set redis_ca to the file of its CA"),
    "CA is not there": (lambda *_: {"redis_ca": "gone.pem"}, "settings", "redis_ca cannot be read (No such file or"),
    "no certificate": (
        lambda *_: {"redis_cert": None, "redis_key": None},
        "redis",
        "set redis_cert and redis_key to files that its CA has signed",
    ),
    "certificate of another CA": (
        lambda _, other: {"redis_cert": other.chain, "redis_key": other.key},
        "redis",
        "set redis_cert and redis_key to files that its CA has signed",
    ),
    "key of another certificate": (
        lambda _, other: {"redis_key": other.key},
        "settings",
        "redis_key of this certificate and without a password",
    ),
    "address that the certificate lacks": (
        lambda flags, _: {"redis_url": str(flags["redis_url"]).replace(HOST, "127.0.0.2")},
        "redis",
        "name in redis_url a host that the certificate has",
    ),
    "URL without TLS": (lambda flags, _: plain(flags), "redis", "If it uses TLS, begin redis_url with rediss"),
}


@pytest.mark.parametrize("problem", PLANTED)
def test_planted_problem_of_tls_to_redis_is_named_with_its_remedy(problem: str, flags: Flags, other: Certified) -> None:
    plant, check, remedy = PLANTED[problem]
    [line] = lines_but_ok(flags | plant(flags, other))
    assert line.startswith(f"PROBLEM  {check}: ")
    assert remedy in line


def test_redis_without_tls_is_named_where_the_url_has_tls(flags: Flags, redis_server: RedisServer) -> None:
    [port] = free_ports(1)
    with redis.Redis(unix_socket_path=str(redis_server.socket)) as raw:
        raw.config_set("port", port)
    changed = {"redis_url": f"rediss://{HOST}:{port}/0", "store_timeout": 0.3}
    [line] = lines_but_ok(flags | changed)
    assert line.startswith("PROBLEM  redis: ")
    assert "If it does not use TLS at this port, name its TLS port" in line


def test_redis_over_tls_passes_unless_others_can_read_its_key(flags: Flags) -> None:
    assert lines_but_ok(flags) == []
    key = Path(str(flags["redis_key"]))
    key.chmod(0o644)
    try:
        [line] = lines_but_ok(flags)
    finally:
        key.chmod(0o600)
    assert line.startswith("PROBLEM  redis certificates: ")
    assert "run `chmod 600" in line
