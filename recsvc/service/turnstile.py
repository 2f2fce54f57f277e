"""Lets calls begin their work a few at a time, so that the event loop stays quick under load."""

import asyncio
from collections import deque

# One call for each of these in the last turn of the event loop begins in the next turn. A call works for about a
# millisecond, so work gets half of the time at least, unless calls come faster than they are taken.
_SECONDS_PER_CALL = 0.001
# Where more than a third of the tasks that take a method's calls got one in the same turn, calls wait in gRPC's core.
_CALLS_TAKEN_LATE = 24
# How the part of the time that work gets changes: it falls by a tenth in each turn in which calls were taken late, and
# rises slowly in the others.
_FALL, _RISE, _LEAST_SHARE = 0.9, 0.01, 0.1
# How much one turn counts in the estimate of how fast calls begin.
_WEIGHT_OF_TURN = 0.05


class Turnstile:
    """Lets one call begin in each turn of the event loop, or more after a long turn. A lone call does not wait.

    Under load a turn is as long as the work of the calls that have begun. If all calls began at once, a turn would be
    as long as the work of all of them, and neither new calls nor health checks would be looked at meanwhile.

    Where calls come faster than they are taken out of gRPC's core, fewer begin: refusals need the time. Else calls wait
    in the core for seconds, and it answers CANCELLED to what is too much.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._is_taken = False
        self._turn_began = 0.0
        self._seconds_per_call = 0.0
        self._seconds_without_call = 0.0
        self._taken = 0
        self._share = 1.0
        self._saved = 0.0  # parts of calls that may begin later

    @property
    def expected_seconds(self) -> float:
        """How long a call that comes now, and is not urgent, will wait."""
        return (len(self._waiting) + len(self._urgent)) * self._seconds_per_call

    def take(self) -> None:
        """Takes note that a call was taken out of gRPC's core, let in or not."""
        self._taken += 1

    async def enter(self, *, is_urgent: bool = False) -> None:
        """Returns when the call may begin. Calls begin in the order in which they came, but urgent ones go first."""
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
            self._taken = 0
            self._turn_began = loop.time()
            loop.call_soon(self._next_turn)
            return
        place: asyncio.Future[None] = loop.create_future()
        (self._urgent if is_urgent else self._waiting).append(place)
        await place

    def _next_turn(self) -> None:
        if not self._waiting and not self._urgent:
            self._is_taken = False
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        seconds = now - self._turn_began
        self._turn_began = now
        free = self._free_places(seconds)
        self._seconds_without_call += seconds
        if free:
            speed = self._seconds_without_call / free
            self._seconds_per_call += _WEIGHT_OF_TURN * (speed - self._seconds_per_call)
            self._seconds_without_call = 0.0
        while free and (self._urgent or self._waiting):
            place = (self._urgent or self._waiting).popleft()
            if not place.done():  # else its caller left
                place.set_result(None)
                free -= 1
        loop.call_soon(self._next_turn)

    def _free_places(self, seconds: float) -> int:
        """Returns how many calls may begin after a turn of this length."""
        if self._taken >= _CALLS_TAKEN_LATE:
            self._share = max(_LEAST_SHARE, self._share * _FALL)
        else:
            self._share = min(1.0, self._share + _RISE)
        self._taken = 0
        if self._share == 1.0:
            return 1 + int(seconds / _SECONDS_PER_CALL)
        self._saved += self._share * seconds / _SECONDS_PER_CALL
        free = int(self._saved)
        self._saved -= free
        return free
