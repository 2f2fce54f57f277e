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
# Nobody sees how long a call would have taken whose deadline passed first. The estimate becomes this many times what it
# had taken until then.
_TIMES_IN_VAIN = 1.5
# An estimate that fell below this share of itself because no call confirmed it is tested by one call at a time.
_TESTED_SHARE = 0.9


class TimeToAnswer:
    """Estimates the time from the last costly step of a call of one method to its answer.

    Nearly all calls take less.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._learned = 0.0
        self._tested_until = 0.0

    def estimate(self, now: float, *, of_test: bool = False) -> float:
        """Returns seconds.

        Args:
            now: Event-loop time.
            of_test: For the call that tests whether the estimate may fall. Meanwhile the others go by the old one.
        """
        return self._seconds if now < self._tested_until and not of_test else self._fallen(now)

    def begin(self, now: float) -> bool:
        """Takes note that a call begins its step. Returns whether it tests the estimate."""
        is_test = now >= self._tested_until and self._fallen(now) < _TESTED_SHARE * self._seconds
        if is_test:
            self._tested_until = now + self._seconds
        return is_test

    def learn(self, seconds: float, now: float) -> None:
        """Takes note of a call that has ended."""
        estimate = self._fallen(now)
        difference = seconds - estimate
        self._set(estimate + difference * (_RISE if difference > 0 else _FALL), now)

    def learn_in_vain(self, seconds: float, now: float) -> None:
        """Takes note of a call that had no answer yet when its deadline passed."""
        self._set(max(self.estimate(now), seconds * _TIMES_IN_VAIN), now)

    def _fallen(self, now: float) -> float:
        return float(self._seconds * 0.5 ** ((now - self._learned) / _HALF_LIFE_SECONDS))

    def _set(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._learned = self._tested_until = now


class CallTime:
    """The time of one call.

    Args:
        end: Event-loop time by which the answer must be sent; infinity without a deadline.
        to_answer: Of the method.
    """

    __slots__ = ("_end", "_is_test", "_last_step", "_to_answer")

    def __init__(self, end: float, to_answer: TimeToAnswer) -> None:
        self._end = end
        self._to_answer = to_answer
        self._last_step = math.inf
        self._is_test = False

    def is_too_late(self, now: float) -> bool:
        """Returns whether a step that begins now would be in vain."""
        return now + self._to_answer.estimate(now, of_test=self._is_test) > self._end

    def check(self, wait_seconds: float = 0.0) -> None:
        """Raises DeadlinePassed if a step that begins after a wait would be in vain."""
        if self.is_too_late(asyncio.get_running_loop().time() + wait_seconds):
            raise DeadlinePassed

    def begin_step(self, now: float) -> None:
        """Takes note that a costly step begins."""
        self._last_step = now
        self._is_test = self._to_answer.begin(now) or self._is_test

    def close(self, now: float, *, cancelled: bool = False) -> None:
        """Takes note that the call has ended.

        Args:
            now: Event-loop time.
            cancelled: Whether the caller left, or the deadline passed, before there was an answer.
        """
        if self._last_step >= now:
            return
        seconds = now - self._last_step
        # The clock of a caller began earlier. So its deadline passes a little earlier than `end`.
        if cancelled and self._end - now < seconds:
            self._to_answer.learn_in_vain(seconds, now)
        else:
            self._to_answer.learn(seconds, now)


# Of the call that runs in this task; None outside of calls.
CALL_TIME: ContextVar[CallTime | None] = ContextVar("call_time", default=None)


def check_deadline() -> None:
    """Raises DeadlinePassed if the running call cannot be answered in time."""
    time = CALL_TIME.get()
    if time is not None:
        time.check()
