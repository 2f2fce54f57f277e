"""The event loop of the service, with one change: gRPC wakes it once for many of its events.

A thread of grpc.aio writes one byte into a socket for each event. The event loop reads one byte a turn, and handles all
events that there are. So the other bytes make turns with nothing to do, and under load the socket is full: then the
thread waits, and gRPC gets one event a turn. Here all bytes but one are read first.
"""

import array
import asyncio
import fcntl
import socket
import termios
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike


class ServiceLoop(asyncio.SelectorEventLoop):
    """Reads all bytes with which grpc.aio wakes it."""

    def add_reader(self, fd: "FileDescriptorLike", callback: Callable[..., object], *args: object) -> None:
        """Calls back when a file can be read; see `asyncio.loop.add_reader`."""
        if isinstance(fd, socket.socket) and _is_of_grpc(callback):
            callback = _reads_all_but_one(fd, callback)
        super().add_reader(fd, callback, *args)


def _is_of_grpc(callback: Callable[..., object]) -> bool:
    function = getattr(callback, "func", callback)  # of a partial
    return "cygrpc" in f"{type(getattr(function, '__self__', None)).__module__} {getattr(function, '__module__', '')}"


def _reads_all_but_one(sock: socket.socket, callback: Callable[..., object]) -> Callable[..., None]:
    waiting = array.array("i", [0])

    def read(*args: object) -> None:
        fcntl.ioctl(sock, termios.FIONREAD, waiting)
        if waiting[0] > 1:
            sock.recv(waiting[0] - 1)
        callback(*args)

    return read
