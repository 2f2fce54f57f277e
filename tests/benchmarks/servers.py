"""Starts the servers that are measured, each in a process on one core: the service with its own Redis, and the echo."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from recsvc.v1 import recommendation_pb2 as pb
from tests.integration.clients import Storefront
from tests.service_process import ServiceProcess

CALLERS = 8


@dataclass(frozen=True)
class Server:
    """A running server: its port, and its processes by name."""

    port: int
    pids: dict[str, int]


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
        process = ServiceProcess(bundle, data_dir, search_threads=1, store_timeout=10.0, **settings)
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
    with _bound(core):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.echo", str(file)], stdout=subprocess.PIPE, text=True
        )
    try:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), {"server": process.pid})
    finally:
        process.kill()
        process.wait()


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


def lists(running: ServiceProcess, user_ids: Sequence[str]) -> list[pb.RecommendResponse]:
    """Gets every user's list once. After that, all user vectors are in Redis."""
    with running.channel() as channel, ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(Storefront(channel).recommend, user_ids))
