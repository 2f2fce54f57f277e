"""The door of one method: refuses calls that cannot be let in, for a third of what a refusal costs in a handler."""

import asyncio
import time
from collections import deque
from itertools import cycle
from typing import TYPE_CHECKING

import grpc
import structlog

from recsvc.runtime.logs import LineLimit
from recsvc.runtime.metrics import REFUSALS, REQUESTS
from recsvc.service import status
from recsvc.service.admission import Admission
from recsvc.service.priority import priority_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Callers that were refused together must not come back together. So each gets one of these waits, in turn.
_RETRY_MILLISECONDS = (250, 700, 400, 900, 300, 800, 500, 1_000)
# How often a door whose refusals have used up their time looks again.
_PAUSE_SECONDS = 0.005
# The most calls that are taken after such a look.
_MOST_TAKEN = 64

# Callers that send many calls must not fill the disk. The metrics count all of them.
_LINES = LineLimit(lines=5, seconds=10)

_log = structlog.get_logger(__name__)


class Door:
    """Lets the calls of one method in, or refuses them.

    Args:
        method: Such as "/package.Service/Method".
        admission: Of the process.
    """

    def __init__(self, method: str, admission: Admission) -> None:
        self._method = method
        self._admission = admission
        self.priority = priority_of(method)
        self._outside: deque[asyncio.Future[None]] = deque()
        self._waits: Iterator[int] = cycle(_RETRY_MILLISECONDS)
        self._refused = REQUESTS.labels(method, grpc.StatusCode.RESOURCE_EXHAUSTED.name)

    def enter(self) -> grpc.Status | None:
        """Lets a call in and returns None, or returns the status with which to refuse it. Counts and logs refusals."""
        reason = self._admission.refusal(self.priority)
        if reason is None:
            self._admission.enter()
            return None
        self._admission.refuse()
        answer = status.overloaded(reason, next(self._waits))
        self._refused.inc()
        REFUSALS.labels(self._method, reason).inc()
        left_out = _LINES.left_out((self._method, reason), time.monotonic())
        if left_out is not None:
            _log.warning("call_refused", method=self._method, code=answer.code.name, problem=answer.details, **left_out)
        return answer

    def leave(self, _: object = None) -> None:
        """Takes note that a call that was let in has ended."""
        self._admission.leave()

    def came_late(self) -> None:
        """Takes note that a call was let in whose time was over."""
        self._admission.budget.came_late()

    def is_closed(self) -> bool:
        """Returns whether the next call would be refused, but there is no time for refusals."""
        return self._admission.refusal(self.priority) is not None and self._admission.budget.left() < 1

    async def reopened(self) -> None:
        """Returns when it is time to take a call. Meanwhile calls stay in gRPC's core, and cost nothing."""
        loop = asyncio.get_running_loop()
        if not self._outside:
            loop.call_later(_PAUSE_SECONDS, self._reopen)
        place = loop.create_future()
        self._outside.append(place)
        await place

    def _reopen(self) -> None:
        is_room = self._admission.refusal(self.priority) is None
        places = _MOST_TAKEN if is_room else min(_MOST_TAKEN, int(self._admission.budget.left()))
        while self._outside and places > 0:
            place = self._outside.popleft()
            if not place.done():  # else its caller left
                place.set_result(None)
                places -= 1
        if self._outside:
            asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._reopen)
