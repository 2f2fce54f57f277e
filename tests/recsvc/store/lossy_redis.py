"""Redis behind a proxy that loses an answer: Redis has done what was asked, and the caller does not learn of it."""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path


class LossyRedis:
    """A proxy on a unix socket.

    Args:
        socket: Where the proxy listens.
        redis: The socket of Redis.
    """

    def __init__(self, socket: Path, redis: Path) -> None:
        self.url = f"unix://{socket}"
        self._socket = socket
        self._redis = redis
        self._lost: bytes | None = None
        self._then_away = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.losses = 0
        self.is_away = False

    async def start(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_unix_server(self._connected, self._socket)

    async def stop(self) -> None:
        """Ends all connections."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lose(self, part: bytes, *, then_away: bool = False) -> None:
        """Loses the answer to the next request with these bytes, and ends its connection. Then Redis may be away."""
        self._lost = part
        self._then_away = then_away

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        async with AsyncExitStack() as ends:
            ends.push_async_callback(_close, writer)
            with suppress(OSError):
                from_redis, to_redis = await asyncio.open_unix_connection(self._redis)
                ends.push_async_callback(_close, to_redis)
                while (request := await reader.read(1_000_000)) and not self.is_away:
                    is_lost = self._lost is not None and self._lost in request
                    to_redis.write(request)
                    answer = await from_redis.read(1_000_000)  # Redis has done it
                    if is_lost:
                        self._lost, self.is_away, self.losses = None, self._then_away, self.losses + 1
                        return
                    writer.write(answer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
