"""Runs Lua scripts. Each is one atomic step on keys of one hash tag, so it also runs on a Cluster."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError

from recsvc.store.connection import RedisClient


async def run(client: RedisClient, script: str, key: str, *arguments: str | bytes | int) -> Any:  # noqa: ANN401  each script has its own
    """Runs a script on one key, and returns its answer."""
    (answer,) = await run_each(client, script, [(key, *arguments)])
    return answer


async def run_each(
    client: RedisClient, script: str, calls: Sequence[tuple[str | bytes | int, ...]], keys: int = 1
) -> list[Any]:
    """Runs a script once for each call, all in one pipeline; see `run_together`.

    Args:
        client: Of Redis.
        script: Of `user_scripts` or `shop_scripts`.
        calls: The keys and then the arguments of each call.
        keys: How many of them are keys.

    Returns:
        The answer to each call.
    """
    return await run_together(client, [ScriptCall(script, call, keys) for call in calls])


class ScriptCall(NamedTuple):
    """One run of a script.

    Attributes:
        script: Of `user_scripts` or `shop_scripts`.
        arguments: The keys and then the arguments.
        keys: How many of them are keys.
    """

    script: str
    arguments: tuple[str | bytes | int, ...]
    keys: int = 1


async def run_together(
    client: RedisClient, calls: Sequence[ScriptCall], commands: Iterable[tuple[str | bytes | int, ...]] = ()
) -> list[Any]:
    """Runs scripts, and then ordinary commands, all in one pipeline. Returns the answers.

    A server that does not have a script refuses its digest. Then everything is sent again, with the full scripts.
    Calls that Redis has run already are run twice, so repeating a script or a command must do no harm.
    """
    commands = list(commands)
    try:
        return await _pipeline(
            client, "EVALSHA", [call._replace(script=_digest(call.script)) for call in calls], commands
        )
    except NoScriptError:
        return await _pipeline(client, "EVAL", calls, commands)


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


async def _pipeline(
    client: RedisClient, command: str, calls: Sequence[ScriptCall], commands: Sequence[tuple[str | bytes | int, ...]]
) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command(command, call.script, call.keys, *call.arguments)
    for words in commands:
        pipeline.execute_command(*words)
    return await pipeline.execute()
