"""Decides whether calls may wait for one Redis server, so that none waits for a server that hangs.

A Redis that is paused or hung would make each call wait for its own timeout. When a call has waited in vain, and no
other call was answered meanwhile, one background task sends pings over a connection of its own. While they stay
unanswered calls fail at once. When the server answers pings in time, calls are admitted again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from typing import Any

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MasterDownError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

# Share of the timeout of calls: a first ping that takes longer shows that Redis hangs. It may be busy for a moment.
_DOUBT_SHARE = 0.5
_QUICK_ANSWERS = 2  # in a row, each within the timeout of calls: Redis may be used again
_LEAST_PATIENCE_SECONDS = 0.5  # with one connection, before the next one: the machine behind it may be gone
_PAUSE_SECONDS = 0.1  # after a connection that failed
_RENEWAL_SECONDS = 0.25  # between two renewals of all connections, at least
# Redis 6 puts the refusal of a command inside a script into the text of another error.
_REFUSALS = ("READONLY", "MASTERDOWN", "MISCONF", "NOREPLICAS", "LOADING")


class RedisHangs(RedisError):
    """Redis was not asked, because it leaves calls unanswered. No client of redis-py tries again after this error."""


class Guard:
    """The state that all connections to one server share. For the event loop's thread alone.

    Args:
        timeout_seconds: How long a call waits for its answer.
        new_connection: Makes the connection for pings. No guard admits it.
        is_needed: Is awaited after each connection for pings that failed. If it returns False, no call goes to this
            server any more, and the pings end.

    Attributes:
        generation: Connections of an earlier one are opened again before their next use.
        answers: How many answers have come.
        hangs: Whether calls fail at once.
        fails_over: Whether Sentinels replace the server: what its replicas confirm may be lost.
        ask_sentinels: Brings `fails_over` up to date; None without Sentinels.
        tells_servers_apart: Whether new connections ask which server they reached. Set it before the first connection.
        switches: How often a call went to another server than the call before it.
    """

    def __init__(
        self, timeout_seconds: float, new_connection: Callable[[], Any], is_needed: Callable[[], Awaitable[bool]]
    ) -> None:
        self.generation = self.answers = 0
        self.hangs = self.fails_over = self.tells_servers_apart = False
        self.ask_sentinels: Callable[[], Awaitable[None]] | None = None
        self.switches = 0
        self._server = ""
        self._timeout_seconds = timeout_seconds
        self._new_connection = new_connection
        self._is_needed = is_needed
        self._next_renewal = 0.0
        self._is_closed = False
        self._task: asyncio.Task[None] | None = None

    def admit(self) -> None:
        """Raises RedisHangs if a call would wait in vain."""
        if self.hangs:
            raise RedisHangs("Redis leaves calls unanswered")

    def was_silent(self, answers_before: int) -> None:
        """Notes that a call got no answer in time. answers_before: `answers` when the call was sent."""
        if self._task is None and self.answers == answers_before and not self._is_closed:
            self._task = asyncio.create_task(self._ping_until_answered(), context=Context())

    def refused(self, error: Exception) -> None:
        """Opens all connections again if Redis refused because of its state: the address may lead to another server."""
        by_state = isinstance(error, ReadOnlyError | MasterDownError | BusyLoadingError)
        if (by_state or any(name in str(error) for name in _REFUSALS)) and time.monotonic() >= self._next_renewal:
            self.generation += 1
            self._next_renewal = time.monotonic() + _RENEWAL_SECONDS

    def goes_to(self, server: str) -> None:
        """Notes which server gets the next call; '' if it is not known."""
        if server != self._server:
            self.switches += bool(self._server)
            self._server = server

    async def close(self) -> None:
        """Ends the pings."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _ping_until_answered(self) -> None:
        doubt = asyncio.get_running_loop().call_later(_DOUBT_SHARE * self._timeout_seconds, self._refuse_calls)
        try:
            while not self._is_closed:
                if await self._answers_quickly():
                    break
                self._refuse_calls()
                if not await self._is_needed():
                    break
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            doubt.cancel()
            if self.hangs:
                self.hangs = False
                self.generation += 1  # the address may lead to another server now
            self._task = None

    def _refuse_calls(self) -> None:
        self.hangs = True

    async def _answers_quickly(self) -> bool:
        """Opens a connection, and pings over it until the answers are quick. Returns False once there is none."""
        connection = self._new_connection()
        try:
            await connection.connect()
            quick = 0
            while quick < _QUICK_ANSWERS:
                began = time.monotonic()
                await connection.send_command("PING", check_health=False)
                await connection.read_response()
                quick = quick + 1 if time.monotonic() - began <= self._timeout_seconds else 0
                if not quick:
                    await asyncio.sleep(_PAUSE_SECONDS)
        except (RedisError, OSError) as error:
            # A refusal is an answer. While the client connects, it wraps it in another error.
            return isinstance(error.__cause__ or error, ResponseError | AuthenticationError | BusyLoadingError)
        finally:
            with suppress(RedisError, OSError):
                await connection.disconnect(nowait=True)
        return True


def patience_seconds(timeout_seconds: float) -> float:
    """How long a connection for pings waits for an answer. A slow server needs more than the timeout of calls."""
    return max(_LEAST_PATIENCE_SECONDS, timeout_seconds)
