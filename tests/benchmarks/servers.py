"""Starts the servers that are measured, each in a process on one core: the service with its own Redis, and the echo."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import psutil
from redis import Redis

from recsvc.v1 import recommendation_pb2 as pb
from tests.benchmarks import http2_calls
from tests.benchmarks.cases import K
from tests.benchmarks.load import Connection
from tests.conftest import RedisServer
from tests.integration.clients import Storefront
from tests.service_process import ServiceProcess

CALLERS = 8


@dataclass(frozen=True)
class Server:
    """A running server: its port, its processes by name, and the protocol that it speaks."""

    port: int
    pids: dict[str, int]
    protocol: type[Connection] = http2_calls.Connection


def cores() -> tuple[int | None, int | None]:
    """The core of the servers and the core of the generator. None if processes cannot be bound to a core."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def bind(core: int | None) -> None:
    """Binds this process, and every process that it starts from now on, to one core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


@contextmanager
def _bound(core: int | None) -> Iterator[None]:
    allowed = os.sched_getaffinity(0) if core is not None else set()
    bind(core)
    try:
        yield
    finally:
        if allowed:
            os.sched_setaffinity(0, allowed)


@contextmanager
def service(
    bundle: Path, data_dir: Path, core: int | None, cache_size: int | None = None
) -> Iterator[tuple[ServiceProcess, Server]]:
    """Runs `recsvc serve` as operators do, with two exceptions.

    It has one search thread, because it has one core. And it waits long for Redis: on a busy machine, a list without
    the user's history would otherwise look like a fast one.
    """
    settings: dict[str, Any] = {} if cache_size is None else {"cache_size": cache_size}
    with _bound(core):
        process = ServiceProcess(bundle, data_dir, search_threads=1, store_timeout=10.0, warm=False, **settings)
    try:
        [redis] = [p for p in psutil.Process(process.process.pid).children(recursive=True) if "redis" in p.name()]
        yield process, Server(process.port, {"server": process.process.pid, "redis": redis.pid})
        process.stop()
    finally:
        process.kill()


@contextmanager
def echo(response: pb.RecommendResponse, folder: Path, core: int | None) -> Iterator[Server]:
    """Runs the echo, which always answers `response`."""
    file = folder / "response.binpb"
    file.write_bytes(response.SerializeToString())
    with program(sys.executable, "tests.benchmarks.echo", str(file), core=core) as (port, pid):
        yield Server(port, {"server": pid})


@contextmanager
def program(python: str | Path, module: str, *arguments: str, core: int | None) -> Iterator[tuple[int, int]]:
    """Runs a module that prints the port of its server. Yields the port and the id of the process.

    Raises:
        RuntimeError: It ended before it printed a port.
    """
    with _bound(core):
        process = subprocess.Popen(
            [str(python), "-m", module, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # it has one core
        )
    assert process.stdout is not None
    try:
        port = process.stdout.readline()
        if not port:
            raise RuntimeError(f"{module} did not start: see its error above")
        yield int(port), process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def redis_server(folder: Path, core: int | None) -> Iterator[tuple[str, int]]:
    """Runs a Redis of its own. Yields its unix socket and the id of its process."""
    server = RedisServer(folder)
    with _bound(core):
        server.start()
    try:
        with Redis(unix_socket_path=str(server.socket)) as client:
            pid = client.info("server")["process_id"]
        yield str(server.socket), pid
    finally:
        server.kill()


def fill(running: ServiceProcess, events: pl.DataFrame, users: pl.DataFrame) -> None:
    """Writes histories and profiles through the API."""
    with running.channel() as channel, ThreadPoolExecutor(CALLERS) as callers:
        storefront = Storefront(channel)
        storefront.write_history(events)

        def set_profile(row: dict[str, object]) -> None:
            attributes = {name: str(value) for name, value in row.items() if name != "user_id" and value}
            if attributes:
                storefront.set_profile(str(row["user_id"]), **attributes)

        list(callers.map(set_profile, users.iter_rows(named=True)))


def lists(running: ServiceProcess, user_ids: Sequence[str], k: int = K) -> list[pb.RecommendResponse]:
    """Gets every user's list once. After that, all user vectors are in Redis."""
    with running.channel() as channel, ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(partial(Storefront(channel).recommend, k=k), user_ids))
