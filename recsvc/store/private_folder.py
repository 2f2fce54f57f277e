"""Claims the folder of a private Redis for one process, and says where its socket and locks are."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsvc.errors import SettingsError

_LONGEST_SOCKET_PATH = 100  # bytes; Linux takes 107, macOS 103


@dataclass(frozen=True, slots=True)
class PrivateFolder:
    """A folder that only this user can enter.

    Attributes:
        path: The folder.
        socket: Of the server. It may be in another folder, because a path to a socket must be short.
        server_lock: File that the running server holds locked. It contains the server's process id.
    """

    path: Path
    socket: Path
    server_lock: Path


@contextmanager
def private_folder(path: Path) -> Iterator[PrivateFolder]:
    """Makes the folder and claims it for this process, until exit.

    Raises:
        SettingsError: The folder cannot be used, or another process has it.
    """
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        owner_lock = open_lock(path / "owner.lock")
    except OSError as error:
        raise SettingsError(f"the data folder cannot be used: {error.strerror}") from error
    try:
        if not try_lock(owner_lock):
            raise SettingsError("the data folder is in use by another recsvc: give each its own, or one Redis by URL")
        socket = path / "redis.sock"
        if len(os.fsencode(socket)) <= _LONGEST_SOCKET_PATH:
            yield PrivateFolder(path, socket, path / "server.lock")
        else:
            try:
                short = Path(tempfile.mkdtemp(prefix="recsvc-"))
            except OSError as error:
                raise SettingsError(f"the folder of temporary files cannot be used: {error.strerror}") from error
            try:
                yield PrivateFolder(path, short / "redis.sock", path / "server.lock")
            finally:
                shutil.rmtree(short, ignore_errors=True)
    finally:
        os.close(owner_lock)


def open_lock(path: Path) -> int:
    """A file descriptor to lock. The lock lasts as long as any process has a copy of the descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def try_lock(descriptor: int) -> bool:
    """Takes the lock. False if another process has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
