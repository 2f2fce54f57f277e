"""Decides whether a call is let in: by the number of calls that run, and by how long it would wait."""

import asyncio
import math
from collections.abc import Callable
from typing import Literal, TypeAlias

from recsvc.service.priority import LONGEST_WAIT, SHARE_OF_LIMIT, Priority
from recsvc.service.turnstile import Turnstile

Reason: TypeAlias = Literal["limit", "queue", "deadline"]

# A cold process makes an eighth of the lists that a warm one makes. Its limit rises to the full one in this time,
# which begins with the first call.
WARM_SECONDS = 60.0
_COLD_SHARE = 1 / 8
# A small limit is not made smaller.
_LEAST_LIMIT = 64

# The processor time of one refusal, in seconds, and the part of the time that refusals may take while the process has
# other work. Calls beyond it stay in gRPC's core until there is time for them.
_REFUSAL_SECONDS = 0.0001
_REFUSALS_SHARE = 0.07
# The most refusals that can follow each other at once after a quiet time.
_MOST_AT_ONCE = 64.0
# One call that comes out of the core too late allows this number of refusals: then waiting calls are old, and it is
# better to refuse them quickly.
_REFUSALS_PER_LATE_CALL = 8.0


class Admission:
    """Lets calls in while there is room, the important ones longest.

    Args:
        limit: Most lists at the same time. Priorities have shares of it.
        turnstile: Where calls wait.
        clock: The event loop's, in seconds.

    Attributes:
        in_flight: Calls that run now.
        taken: Calls that came, refused ones too.
        budget: The time for refusals.
    """

    def __init__(self, limit: int, turnstile: Turnstile, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._turnstile = turnstile
        self._clock = clock
        self._first_call = math.inf
        self.in_flight = 0
        self.taken = 0
        self.budget = RefusalBudget(clock)

    @property
    def limit(self) -> int:
        """The limit now: it rises while the process is cold."""
        age = self._clock() - self._first_call
        if age >= WARM_SECONDS:
            return self._limit
        warmth = max(0.0, age / WARM_SECONDS)
        cold = max(self._limit * (_COLD_SHARE + (1 - _COLD_SHARE) * warmth), _LEAST_LIMIT)
        return min(self._limit, int(cold))

    def refusal(self, priority: Priority) -> Reason | None:
        """Returns why a call that comes now is to be refused; None if it is let in."""
        if self.in_flight >= SHARE_OF_LIMIT[priority] * self.limit:
            return "limit"
        if self._turnstile.expected_seconds > LONGEST_WAIT[priority]:
            return "queue"
        return None

    def enter(self) -> None:
        """Takes note that a call was let in."""
        if self._first_call == math.inf:
            self._first_call = self._clock()
        self.taken += 1
        self.in_flight += 1

    def refuse(self) -> None:
        """Takes note that a call was refused."""
        self.taken += 1
        self.budget.spend()

    def leave(self) -> None:
        """Takes note that a call has ended."""
        self.in_flight -= 1


class RefusalBudget:
    """Limits the processor time of refusals while the process has other work.

    In idle time refusals are free. Needs an event loop that counts it, as `recsvc.runtime.event_loop` does; with
    another there is no limit.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = _MOST_AT_ONCE
        self._counted = clock()
        self._idle = 0.0
        self._is_off = False

    def left(self) -> float:
        """Returns the number of refusals that there is time for now."""
        idle: float | None = getattr(asyncio.get_running_loop(), "idle_seconds", None)
        if idle is None or self._is_off:
            return _MOST_AT_ONCE
        now = self._clock()
        seconds = idle - self._idle + _REFUSALS_SHARE * (now - self._counted)
        self._left = min(_MOST_AT_ONCE, self._left + seconds / _REFUSAL_SECONDS)
        self._counted, self._idle = now, idle
        return self._left

    def spend(self) -> None:
        """Takes note of a refusal."""
        self._left -= 1

    def came_late(self) -> None:
        """Takes note of a call that waited too long."""
        self._left = min(_MOST_AT_ONCE, self._left + _REFUSALS_PER_LATE_CALL)

    def lift(self) -> None:
        """Ends the limit: the server stops, and every call is to be answered."""
        self._is_off = True
