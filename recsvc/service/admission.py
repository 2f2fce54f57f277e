"""Decides whether a call is let in: by the number of calls that run, and by how long it would wait."""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

from recsvc.service.priority import LONGEST_WAIT, SHARE_OF_LIMIT, Priority
from recsvc.service.turnstile import Turnstile

Reason: TypeAlias = Literal["limit", "queue"]

# A cold process makes an eighth of the lists that a warm one makes. Its limit rises to the full one in this time,
# which begins with the first call.
WARM_SECONDS = 60.0
_COLD_SHARE = 1 / 8
# A small limit is not made smaller.
_LEAST_LIMIT = 64


class Admission:
    """Lets calls in while there is room, the important ones longest.

    Args:
        limit: Most lists at the same time. Priorities have shares of it.
        turnstile: Where calls wait.
        clock: The event loop's, in seconds.

    Attributes:
        in_flight: Calls that run now.
        taken: Calls that came, refused ones too.
    """

    def __init__(self, limit: int, turnstile: Turnstile, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._turnstile = turnstile
        self._clock = clock
        self._first_call = math.inf
        self.in_flight = 0
        self.taken = 0

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
        self._take()
        self.in_flight += 1

    def refuse(self) -> None:
        """Takes note that a call was refused."""
        self._take()

    def leave(self) -> None:
        """Takes note that a call has ended."""
        self.in_flight -= 1

    def _take(self) -> None:
        self.taken += 1
        self._turnstile.take()
