"""The page of metrics, while clients keep its connections open."""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsvc.access.certificates import Certificates, read_certificates
from recsvc.access.metrics_page import serve_metrics
from recsvc.access.opening import Access
from recsvc.access.reloaded_file import ReloadedFile
from tests.recsvc.access.credentials import HOST, Certified

SILENT = 40  # more than the page serves at the same time


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def certified(request: pytest.FixtureRequest, tmp_path: Path) -> Certified | None:
    return Certified(tmp_path) if request.param else None


def reloaded(certified: Certified | None) -> ReloadedFile[Certificates] | None:
    if certified is None:
        return None
    chain, key = certified.chain, certified.key
    return ReloadedFile("tls_cert", [chain, key], lambda: read_certificates(chain, key, None))


@contextlib.contextmanager
def silent_clients(port: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(SILENT):
            client = stack.enter_context(socket.create_connection((HOST, port), timeout=20))
            with contextlib.suppress(OSError):
                client.send(b"G")
        yield


def test_clients_that_send_nothing_keep_no_other_out(certified):
    with serve_metrics("127.0.0.1", 0, Access(None, reloaded(certified))) as port, silent_clients(port):
        connection = (
            http.client.HTTPConnection(HOST, port, timeout=20)
            if certified is None
            else http.client.HTTPSConnection(
                HOST, port, timeout=20, context=ssl.create_default_context(cafile=certified.ca_file)
            )
        )
        for _ in range(3):
            connection.request("GET", "/metrics")
            assert connection.getresponse().read().startswith(b"# HELP")
            connection.close()
