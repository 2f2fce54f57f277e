"""Runs Lua scripts. Each is one atomic step on keys of one hash tag, so it also runs on a Cluster."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias

from redis.exceptions import NoScriptError

from recsvc.store.connection import RedisClient
from recsvc.store.gathered_commands import Command, pipelined

Send: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Any]]]

# A function for other scripts: writes the next version into a field of a hash, and returns it.
# Versions are microseconds of Redis's own clock, and at least 1 above the last version. So they grow even if a user is
# erased and comes back, or Redis loses the last one, and the clocks of servers need not agree. A double is exact for
# them until the year 2255.
NEXT_VERSION = """
local function next_version(key, field)
  local now = redis.call('TIME')
  local last = tonumber(redis.call('HGET', key, field) or '0')
  local version = math.max(last + 1, now[1] * 1000000 + now[2])
  redis.call('HSET', key, field, string.format('%.0f', version))
  return version
end
"""


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
    return await run_together(partial(pipelined, client), [ScriptCall(script, call, keys) for call in calls])


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


async def run_together(send: Send, calls: Sequence[ScriptCall], commands: Iterable[Command] = ()) -> list[Any]:
    """Runs scripts, and then ordinary commands, all in one pipeline. Returns the answers.

    A server that does not have a script refuses its digest. Then only these calls are sent again, with the full script:
    others of the pipeline may have run, since another client can bring the script meanwhile.

    Args:
        send: Sends commands as one pipeline, or as part of one.
        calls: Of scripts.
        commands: To send after them.
    """
    answers = await send([*(_words("EVALSHA", _digest(call.script), call) for call in calls), *commands])
    unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if unknown:
        again = await send([_words("EVAL", calls[place].script, calls[place]) for place in unknown])
        for place, answer in zip(unknown, again, strict=True):
            answers[place] = answer
    return answers


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _words(command: str, script: str, call: ScriptCall) -> Command:
    return command, script, call.keys, *call.arguments
