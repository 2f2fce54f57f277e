"""One turn of the event loop reads all bytes with which grpc.aio wakes it."""

import asyncio
import socket
from collections.abc import Callable

import grpc
import pytest

from recsvc.runtime.event_loop import ServiceLoop, _is_of_grpc


class WatchedLoop(ServiceLoop):
    """Remembers the callbacks that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: list[Callable[..., object]] = []

    def add_reader(self, fd, callback, *args):
        self.callbacks.append(callback)
        super().add_reader(fd, callback, *args)


async def start_and_stop() -> None:
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await server.stop(None)


def test_the_installed_grpcio_is_recognised() -> None:
    loop = WatchedLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(start_and_stop())
        assert [_is_of_grpc(callback) for callback in loop.callbacks] == [True]


@pytest.mark.parametrize(("module", "turns"), [("grpc._cython.cygrpc", 1), ("another", 300)])
def test_a_reader_of_grpc_is_called_once_for_all_bytes_that_wait_and_others_as_ever(module, turns) -> None:
    called = 0

    def handle() -> None:
        nonlocal called
        called += 1
        ours.recv(1)

    async def run() -> None:
        asyncio.get_running_loop().add_reader(ours, handle)
        for _ in range(310):
            await asyncio.sleep(0)
        asyncio.get_running_loop().remove_reader(ours)

    handle.__module__ = module
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs, asyncio.Runner(loop_factory=ServiceLoop) as runner:
        theirs.send(b"1" * 300)
        runner.run(run())
    assert called == turns
