"""Whether the caller of the running call can still get its answer in time.

A step that costs something asks first: what is done for a caller that has left is taken from those who wait.
"""

import asyncio
import math
from contextvars import ContextVar

from recsvc.errors import DeadlinePassed

# An estimate that no call has confirmed counts half after this time. So a pause of the machine is soon forgotten.
_HALF_LIFE_SECONDS = 1.0
# How much of the difference a slower call adds to the estimate, and a faster one takes away.
_RISE, _FALL = 0.5, 0.01


class TimeToAnswer:
    """Estimates the time from the last costly step of a call of one method to its answer.

    Nearly all calls take less.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._learned = 0.0

    def estimate(self, now: float) -> float:
        """Returns seconds. now: event-loop time."""
        return float(self._seconds * 0.5 ** ((now - self._learned) / _HALF_LIFE_SECONDS))

    def learn(self, seconds: float, now: float) -> None:
        """Takes note of a call that has ended."""
        estimate = self.estimate(now)
        difference = seconds - estimate
        self._seconds = estimate + difference * (_RISE if difference > 0 else _FALL)
        self._learned = now


class CallTime:
    """The time of one call.

    Args:
        end: Event-loop time by which the answer must be sent; infinity without a deadline.
        to_answer: Of the method.
    """

    __slots__ = ("_end", "_last_step", "_to_answer")

    def __init__(self, end: float, to_answer: TimeToAnswer) -> None:
        self._end = end
        self._to_answer = to_answer
        self._last_step = math.inf

    def is_too_late(self, now: float) -> bool:
        """Returns whether a step that begins now would be in vain."""
        return now + self._to_answer.estimate(now) > self._end

    def check(self, wait_seconds: float = 0.0) -> None:
        """Raises DeadlinePassed if a step that begins after a wait would be in vain."""
        if self.is_too_late(asyncio.get_running_loop().time() + wait_seconds):
            raise DeadlinePassed

    def begin_step(self, now: float) -> None:
        """Takes note that a costly step begins."""
        self._last_step = now

    def close(self, now: float) -> None:
        """Takes note that the call has ended, answered or not."""
        if self._last_step < now:
            self._to_answer.learn(now - self._last_step, now)


# Of the call that runs in this task; None outside of calls.
CALL_TIME: ContextVar[CallTime | None] = ContextVar("call_time", default=None)


def check_deadline() -> None:
    """Raises DeadlinePassed if the running call cannot be answered in time."""
    time = CALL_TIME.get()
    if time is not None:
        time.check()
