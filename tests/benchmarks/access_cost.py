"""Measures what keys and TLS cost: processor time of the server for a list, against the same without them.

One process serves one backend on five ports, so that caches, memory and the state of the machine are the same for all.
Two of the ports are plain: how far they differ is the noise.

    python -m tests.benchmarks.access_cost
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import grpc
import torch
import trustme
from rich.console import Console
from rich.table import Table

from recsvc.access.keys import key_lines, new_key
from recsvc.access.opening import open_access
from recsvc.runtime.event_loop import ServiceLoop
from recsvc.runtime.logs import configure_logs
from recsvc.server import _started_backend, listening
from recsvc.service import METHODS
from recsvc.settings import Settings, load_settings
from recsvc.store import open_store
from recsvc.v1 import recommendation_pb2
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.serving_bundle import make_serving_bundle

PLAIN, KEYS, TLS, BOTH = "plain", "keys", "TLS", "keys and TLS"
WAYS = {
    PLAIN: (False, False),
    "plain again": (False, False),
    KEYS: (True, False),
    TLS: (False, True),
    BOTH: (True, True),
}
USERS, IN_FLIGHT, CALLS = 100, 4, 200
SEARCH_THREADS = 1


class Server:
    """The process that serves, and its five ports by way."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, "--serve", str(folder), "--bundle", str(bundle)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: dict[str, int] = self._read()

    def seconds(self) -> float:
        """Returns the processor time that it has used."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


async def _serve(folder: Path, bundle: Path) -> None:
    settings = load_settings({"bundle": str(bundle), "data_dir": str(folder / "data"), "port": 0}, Settings)
    torch.set_num_threads(SEARCH_THREADS)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            open_store(
                settings.redis_address, settings.data_dir, settings.namespace, history_limit=settings.history_limit
            )
        )
        backend = await stack.enter_async_context(_started_backend(settings, store))
        ports = {}
        for way, (has_keys, has_tls) in WAYS.items():
            more = {"keys_file": folder / "keys.toml"} if has_keys else {}
            more |= {"tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"} if has_tls else {}
            own = settings.model_copy(update=more)
            access = await stack.enter_async_context(open_access(own, METHODS))
            ports[way] = await stack.enter_async_context(listening(own, backend, asyncio.Event(), access))
        _say(ports)
        asyncio.get_running_loop().add_reader(sys.stdin, _answer)
        await asyncio.Event().wait()


def _answer() -> None:
    sys.stdin.readline()
    _say(time.process_time())


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _microseconds(server: Server, stub: Any, key: str | None, calls: int) -> float:
    metadata = [("authorization", f"Bearer {key}")] if key else None
    before = server.seconds()
    under_way: deque[Any] = deque()
    for number in range(calls):
        request = recommendation_pb2.RecommendRequest(user_id=f"u{number % USERS}", k=10)
        under_way.append(stub.Recommend.future(request, timeout=30, metadata=metadata))
        if len(under_way) == IN_FLIGHT:
            under_way.popleft().result()
    for call in under_way:
        call.result()
    return (server.seconds() - before) / calls * 1e6


def measure(bundle: Path, folder: Path, rounds: int) -> Table:
    """Returns the table of all ways. Each round has them in another order."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    (folder / "cert.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    key = new_key()
    (folder / "keys.toml").write_text(key_lines(key, "shop", ["recommend"]))
    for secret in ("key.pem", "keys.toml"):
        (folder / secret).chmod(0o600)
    server = Server(folder, bundle)
    try:
        trusted = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        channels = {
            way: grpc.secure_channel(f"localhost:{port}", trusted)
            if WAYS[way][1]
            else grpc.insecure_channel(f"localhost:{port}")
            for way, port in server.ports.items()
        }
        stubs: dict[str, Any] = {way: RecommendationServiceStub(channel) for way, channel in channels.items()}
        keys = {way: key if has_keys else None for way, (has_keys, _) in WAYS.items()}
        for way in [*WAYS] * 3:
            _microseconds(server, stubs[way], keys[way], CALLS)
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        for number in range(rounds):
            first = number % len(WAYS)
            for way in [*WAYS][first:] + [*WAYS][:first]:
                found[way].append(_microseconds(server, stubs[way], keys[way], CALLS))
    finally:
        server.close()
    table = Table("way", "CPU us a list", "to plain", "standard error")
    plain = [fmean(pair) for pair in zip(found[PLAIN], found["plain again"], strict=True)]
    for way, own in found.items():
        ratios = [mine / base for mine, base in zip(own, plain, strict=True)]
        error = 1.25 * stdev(ratios) / len(ratios) ** 0.5  # of a median
        table.add_row(way, f"{median(own):,.0f}", f"{median(ratios):.3f}", f"{error:.3f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.access_cost", description=__doc__)
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; default: one of 400 items is made")
    parser.add_argument("--rounds", type=int, default=60, help="how often all ways are measured [60]")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        configure_logs("warning", "json")
        with asyncio.Runner(loop_factory=ServiceLoop) as runner:
            runner.run(_serve(arguments.serve, arguments.bundle))
        return
    with tempfile.TemporaryDirectory(prefix="recsvc-access-") as folder:
        bundle = arguments.bundle or make_serving_bundle(Path(folder))
        Console().print(measure(bundle.resolve(), Path(folder), arguments.rounds))


if __name__ == "__main__":
    main()
