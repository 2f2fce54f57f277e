"""A Redis that asks its clients for a certificate: settings name the files, and nothing else gets in."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme

from recsvc.errors import StoreUnavailable
from recsvc.settings import Settings, load_settings
from recsvc.store import open_store
from tests.recsvc.access.credentials import HOST, Certified
from tests.recsvc.store.free_ports import free_ports

SERVER = shutil.which("redis-server")  # the one that tests bring has no TLS
pytestmark = pytest.mark.skipif(SERVER is None, reason="needs a redis-server with TLS on PATH")


@pytest.fixture
def port(certified: Certified) -> Iterator[int]:
    [port] = free_ports(1)
    command = [str(SERVER), "--port", "0", "--tls-port", str(port), "--tls-auth-clients", "yes", "--save", ""]
    command += ["--tls-cert-file", str(certified.chain), "--tls-key-file", str(certified.key)]
    command += ["--tls-ca-cert-file", str(certified.ca_file)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    files = {"ssl_ca_certs": certified.ca_file, "ssl_certfile": certified.chain, "ssl_keyfile": certified.key}
    own: dict[str, Any] = {name: str(path) for name, path in files.items()}
    with redis.Redis(host=HOST, port=port, ssl=True, **own) as client:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(redis.ConnectionError):
                client.ping()
                break
            time.sleep(0.02)
    yield port
    server.kill()
    server.wait()


async def write(tmp_path: Path, port: int, **files: Path) -> None:
    """A write, through the settings of a service."""
    settings = load_settings({"bundle": "b", "redis_url": f"rediss://{HOST}:{port}/0", **files}, Settings)
    async with open_store(settings.redis_address, tmp_path, "n", timeout_seconds=5) as store:
        await store.set_profile("u", None, None)


async def test_the_service_writes_with_its_certificate_and_is_refused_without(tmp_path, certified, port):
    other = Certified(tmp_path / "other")
    certificate = trustme.CA().issue_cert("client")
    (tmp_path / "cert").write_bytes(certificate.cert_chain_pems[0].bytes())
    (tmp_path / "key").write_bytes(certificate.private_key_pem.bytes())
    own = {"redis_cert": certified.chain, "redis_key": certified.key}
    await write(tmp_path, port, redis_ca=certified.ca_file, **own)
    for files in (
        {"redis_ca": certified.ca_file},
        {"redis_ca": other.ca_file, **own},
        {"redis_ca": certified.ca_file, "redis_cert": tmp_path / "cert", "redis_key": tmp_path / "key"},
    ):
        with pytest.raises(StoreUnavailable):
            await write(tmp_path, port, **files)
