"""`recsvc serve` in processes that are forked from one that has loaded what takes seconds: code and text encoder.

What runs is the same command line in a process of its own, with its own environment and standard error. The parent has
used neither grpc nor torch's worker threads, which would not survive a fork. `tests/recsvc/test_cli.py` and
`tests/recsvc/service/test_serving.py` start the command as an operator does.
"""

import contextlib
import functools
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from recsvc.__main__ import main

MAX_REQUEST_BYTES = 1 << 16
# Names the variable with the seconds by which a process's clock is ahead of the machine's.
CLOCK_AHEAD = "TESTS_CLOCK_AHEAD_SECONDS"


class WarmProcesses:
    """The parent process; `start` forks it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="recsvc-warm-")
        self._address = str(Path(self._folder.name) / "socket")
        command = [sys.executable, "-m", "tests.warm_process", self._address]
        self._parent = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._parent.stdout is not None
        assert self._parent.stdout.readline() == b"ready\n"

    def start(self, arguments: Sequence[str], environment: dict[str, str], stderr: int) -> "WarmProcess":
        """Runs `recsvc` with some arguments. stderr: a file descriptor, which the caller still has to close."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(self._address)
        request = json.dumps([list(arguments), environment]).encode()
        socket.send_fds(connection, [request], [stderr])
        return WarmProcess(int(connection.recv(32)), connection)

    def close(self) -> None:
        self._parent.kill()
        self._parent.wait()
        self._folder.cleanup()


class WarmProcess:
    """One forked process, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with contextlib.suppress(TimeoutError):
            self.wait(timeout=0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; less than 0 for the signal that ended it. Raises TimeoutError."""
        if self.returncode is None:
            self._connection.settimeout(timeout or 1e-6 if timeout is not None else None)
            answer = self._connection.recv(32)
            self.returncode = int(answer) if answer else -signal.SIGKILL
            self._connection.close()
        return self.returncode


def serve_requests(address: str) -> None:
    """The parent: forks a child for each connection, and says on it how the child ended."""
    import torch  # noqa: PLC0415 - what is to be shared takes seconds, and the client needs none of it

    import recsvc.server  # noqa: F401, PLC0415
    from recsvc.model import text_encoders  # noqa: PLC0415

    torch.set_num_threads(1)
    text_encoders.load = functools.cache(text_encoders.load)
    text_encoders.load("embedded")
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(64)
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, socket.socket] = {}
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        ready.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    pid = _fork(connection)
                    children[pid] = connection
                    connection.send(str(pid).encode())
                else:
                    with contextlib.suppress(BlockingIOError):
                        woken.recv(4096)
            for pid in list(children):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    with contextlib.suppress(OSError), children.pop(pid) as connection:
                        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _fork(connection: socket.socket) -> int:
    request, (stderr,), _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, 1)
    arguments, environment = json.loads(request)
    pid = os.fork()
    if pid:
        os.close(stderr)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(stderr, 2)
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(environment)
        _set_clock_ahead(float(os.environ.get(CLOCK_AHEAD, "0")))
        code = main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def _set_clock_ahead(seconds: float) -> None:
    """Sets the clock that the modules of the service read. That of the machine, and of gRPC's deadlines, stays."""
    if seconds:
        clock = SimpleNamespace(**vars(time))
        clock.time = lambda: time.time() + seconds
        clock.time_ns = lambda: time.time_ns() + round(seconds * 1_000_000_000)
        for name, module in list(sys.modules.items()):
            if name.startswith("recsvc.") and getattr(module, "time", None) is time:
                module.time = clock  # type: ignore[attr-defined]


if __name__ == "__main__":
    serve_requests(sys.argv[1])
