"""No call waits for a Redis that hangs or is too slow, and the store uses it again by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from recsvc.errors import StoreUnavailable
from recsvc.store import UserStore, open_store


async def test_no_call_waits_for_a_redis_that_is_known_to_hang(redis_server, tmp_path):
    async with open_store(redis_server.url, tmp_path, "shop", timeout_seconds=0.05) as store:
        before = asyncio.all_tasks()
        await store.event_log.time()
        redis_server.pause()
        problems = [await problem_of(store) for _ in range(60)]
        first = next(number for number, problem in enumerate(problems) if "RedisHangs" in problem)
        assert first <= 4
        assert set(problems[first:]) == {"Redis did not do as asked: RedisHangs"}
        redis_server.resume()
        await succeeds(store)
        redis_server.pause()
        assert await problem_of(store)
    redis_server.resume()
    assert asyncio.all_tasks() <= before  # the task that pings ended with the store


async def test_redis_that_answers_too_late_is_not_tried_by_calls_until_it_is_fast(redis_server, tmp_path):
    socket = redis_server.folder / "slow.sock"
    async with slow_redis(socket, redis_server.socket) as proxy:
        url = redis_server.url.replace(str(redis_server.socket), str(socket))
        async with open_store(url, tmp_path, "shop", timeout_seconds=0.1) as store:
            assert not await problem_of(store)
            proxy.delay_seconds = 0.2
            problems = [await problem_of(store) for _ in range(60)]
            first = next(number for number, problem in enumerate(problems) if "RedisHangs" in problem)
            assert set(problems[first:]) == {"Redis did not do as asked: RedisHangs"}
            proxy.delay_seconds = 0.0
            await succeeds(store)


class Proxy:
    """delay_seconds: How long each answer is held back."""

    delay_seconds = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, redis_socket: Path) -> None:
        from_redis, to_redis = await asyncio.open_unix_connection(redis_socket)
        with suppress(OSError):
            while request := await reader.read(100_000):
                to_redis.write(request)
                answer = await from_redis.read(100_000)
                await asyncio.sleep(self.delay_seconds)
                writer.write(answer)
        to_redis.close()
        writer.close()


@asynccontextmanager
async def slow_redis(socket: Path, redis_socket: Path) -> AsyncIterator[Proxy]:
    """A proxy before Redis that can hold answers back."""
    proxy = Proxy()
    async with await asyncio.start_unix_server(lambda r, w: proxy.serve(r, w, redis_socket), socket):
        yield proxy


async def succeeds(store: UserStore) -> None:
    """Returns once a read succeeds."""
    async with asyncio.timeout(10):
        while await problem_of(store):
            pass


async def problem_of(store: UserStore) -> str:
    """What a read says is wrong; '' if it succeeds."""
    await asyncio.sleep(0.005)
    try:
        await store.read("alice", "b1")
    except StoreUnavailable as error:
        return str(error)
    return ""
