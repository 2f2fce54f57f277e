"""Connections that leave a Redis which was demoted, and that do not wait for one which does not answer.

A Redis that is paused or hung would make each call wait for its own timeout. After some timeouts in a row calls fail at
once, and one call in a while tries whether Redis answers again.

A Redis that was demoted goes on answering over connections that are open, and refuses all writes. After such a refusal
all connections are opened again: the address may lead to another Redis by now.
"""

import time
from typing import Any

from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.exceptions import BusyLoadingError, MasterDownError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisUnreachable
from redis.exceptions import TimeoutError as RedisTimeout

_TIMEOUTS = 3  # in a row, until calls fail at once; one slow answer refuses no other call
_PAUSE_SECONDS = 0.25  # between two attempts, and between two renewals of all connections
# Redis 6 puts the refusal of a command inside a script into the text of another error.
_REFUSALS = ("READONLY", "MASTERDOWN", "MISCONF", "NOREPLICAS", "LOADING")


class Guard:
    """The state that all connections of one client share.

    Attributes:
        generation: Connections of an earlier one are opened again before their next use.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._timeouts = 0
        self._next_try = self._next_renewal = 0.0

    def admit(self) -> None:
        """Raises RedisUnreachable if a call would wait in vain."""
        if self._timeouts < _TIMEOUTS:
            return
        now = time.monotonic()
        if now < self._next_try:
            raise RedisUnreachable("Redis has not answered several calls")
        self._next_try = now + _PAUSE_SECONDS  # this call tries; the others need not wait

    def answered(self) -> None:
        """Notes that Redis answers."""
        self._timeouts = 0

    def timed_out(self) -> None:
        """Notes that Redis did not answer in time."""
        self._timeouts += 1
        if self._timeouts == _TIMEOUTS:
            self._next_try = time.monotonic() + _PAUSE_SECONDS

    def refused(self, error: Exception) -> None:
        """Opens all connections again if Redis refused because of its state."""
        by_state = isinstance(error, ReadOnlyError | MasterDownError | BusyLoadingError)
        if (by_state or any(name in str(error) for name in _REFUSALS)) and time.monotonic() >= self._next_renewal:
            self.generation += 1
            self._next_renewal = time.monotonic() + _PAUSE_SECONDS


class _Guarded:
    """Mixin for connections. The pool calls `connect` before each command."""

    def __init__(self, *, guard: Guard, **options: Any) -> None:  # noqa: ANN401  redis-py's
        super().__init__(**options)
        self._guard = guard
        self._generation = guard.generation

    async def connect(self) -> None:
        guard: Guard = self._guard
        guard.admit()
        if self._generation != guard.generation:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
        self._generation = guard.generation
        try:
            await super().connect()  # type: ignore[misc]
        except RedisTimeout:
            guard.timed_out()
            raise

    async def read_response(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401  redis-py's
        guard: Guard = self._guard
        try:
            answer = await super().read_response(*arguments, **options)  # type: ignore[misc]
        except (ResponseError, BusyLoadingError) as error:
            guard.answered()
            guard.refused(error)
            raise
        except RedisTimeout:
            guard.timed_out()
            raise
        guard.answered()
        return answer


class _GuardedConnection(_Guarded, Connection):
    pass


class _GuardedSSLConnection(_Guarded, SSLConnection):
    pass


class _GuardedUnixConnection(_Guarded, UnixDomainSocketConnection):
    pass


class _GuardedSentinelConnection(_Guarded, SentinelManagedConnection):
    pass


class _GuardedSentinelSSLConnection(_Guarded, SentinelManagedSSLConnection):
    pass


GUARDED: dict[type[Any], type[Any]] = {
    Connection: _GuardedConnection,
    SSLConnection: _GuardedSSLConnection,
    UnixDomainSocketConnection: _GuardedUnixConnection,
    SentinelManagedConnection: _GuardedSentinelConnection,
    SentinelManagedSSLConnection: _GuardedSentinelSSLConnection,
}
