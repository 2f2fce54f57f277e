"""Sends the commands of many requests as one pipeline. Under load that costs a quarter of as many single pipelines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from redis.asyncio import RedisCluster
from redis.exceptions import NoScriptError

from recsvc.runtime.work_queue import WorkQueue
from recsvc.store.connection import RedisClient

# A call with more commands has a pipeline of its own: the small calls do not wait for a large batch of events.
MOST_COMMANDS_OF_CALL = 8
_MOST_CALLS = 128  # in one pipeline

Command: TypeAlias = tuple[str | bytes | int, ...]


async def pipelined(client: RedisClient, commands: Sequence[Command]) -> list[Any]:
    """Sends commands as one pipeline, and returns the answers.

    Raises the first refusal, but not one for an unknown script: it stands among the answers, because other commands of
    the pipeline may have run.
    """
    pipeline = client.pipeline(transaction=False)
    for words in commands:
        pipeline.execute_command(*words)
    results: list[Any] = await pipeline.execute(raise_on_error=False)
    if (refusal := _refusal(results)) is not None:
        raise refusal
    return results


def _refusal(results: Sequence[Any]) -> Exception | None:
    return next((r for r in results if isinstance(r, Exception) and not isinstance(r, NoScriptError)), None)


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    commands: Sequence[Command]
    answer: "asyncio.Future[list[Any]]"


class GatheredCommands:
    """Gathers the commands of calls while a pipeline is on its way, and sends them together as the next pipeline.

    A command that Redis refuses fails its own call alone; on a Cluster, all calls of the pipeline. A connection that is
    lost fails all of them.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._queue: WorkQueue[_Call] = WorkQueue(self._send, largest=_MOST_CALLS)

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Returns the answers to the commands of one call; see `pipelined`."""
        if len(commands) > MOST_COMMANDS_OF_CALL:
            return await pipelined(self._client, commands)
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._queue.put(_Call(commands, answer))
        return await answer

    async def _send(self, calls: list[_Call]) -> None:
        waiting = [call for call in calls if not call.answer.done()]
        commands = [command for call in waiting for command in call.commands]
        try:
            results = await self._answers(commands)
        except Exception as error:  # noqa: BLE001  every caller gets it
            for call in waiting:
                if not call.answer.done():
                    call.answer.set_exception(error)
            return
        start = 0
        for call in waiting:
            own = results[start : start + len(call.commands)]
            start += len(call.commands)
            if call.answer.done():
                continue
            refusal = _refusal(own)
            if refusal is None:
                call.answer.set_result(own)
            else:
                call.answer.set_exception(refusal)

    async def _answers(self, commands: Sequence[Command]) -> list[Any]:
        """Returns the answers to commands. Refusals are among them, but on a Cluster the first one is raised."""
        if isinstance(self._client, RedisCluster):
            return await pipelined(self._client, commands)
        # The client's own pipeline takes half as much time again, for what is not used here.
        pool = self._client.connection_pool
        connection: Any = await pool.get_connection()  # type: ignore[no-untyped-call]  # see `guarded_connections`
        try:
            await connection.send_packed_command(connection.pack_commands(commands))
            answers: list[Any] = await connection.read_responses(len(commands))
            return answers
        finally:
            await pool.release(connection)
