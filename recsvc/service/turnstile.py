"""Lets calls begin their work a few at a time, so that the event loop stays quick under load."""

import asyncio
from collections import deque

# One call for each of these in the last turn of the event loop begins in the next turn. A call works for about a
# millisecond, so work gets half of the time at least, even while many calls are refused.
_SECONDS_PER_CALL = 0.001
# How much one turn counts in the estimate of how fast calls begin.
_WEIGHT_OF_TURN = 0.05


class Turnstile:
    """Lets one call begin in each turn of the event loop, or more after a long turn. A lone call does not wait.

    Under load a turn is as long as the work of the calls that have begun. If all calls began at once, a turn would be
    as long as the work of all of them, and neither new calls nor health checks would be looked at meanwhile.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._is_taken = False
        self._turn_began = 0.0
        self._seconds_per_call = 0.0

    @property
    def expected_seconds(self) -> float:
        """How long a call that comes now, and is not urgent, will wait."""
        return (len(self._waiting) + len(self._urgent)) * self._seconds_per_call

    async def enter(self, *, is_urgent: bool = False) -> None:
        """Returns when the call may begin. Calls begin in the order in which they came, but urgent ones go first."""
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
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
        free = 1 + int(seconds / _SECONDS_PER_CALL)
        self._seconds_per_call += _WEIGHT_OF_TURN * (seconds / free - self._seconds_per_call)
        while free and (self._urgent or self._waiting):
            place = (self._urgent or self._waiting).popleft()
            if not place.done():  # else its caller left
                place.set_result(None)
                free -= 1
        loop.call_soon(self._next_turn)
