"""The door of one method: refuses calls that cannot be let in, for a third of what a refusal costs in a handler."""

from itertools import cycle
from typing import TYPE_CHECKING

import grpc

from recsvc.runtime.metrics import REFUSALS, REQUESTS
from recsvc.service import status
from recsvc.service.admission import Admission
from recsvc.service.priority import priority_of
from recsvc.service.refusals import log_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

# Callers that were refused together must not come back together. So each gets one of these waits, in turn.
_RETRY_MILLISECONDS = (250, 700, 400, 900, 300, 800, 500, 1_000)


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
        log_refusal(self._method, answer)
        return answer

    def leave(self, _: object = None) -> None:
        """Takes note that a call that was let in has ended."""
        self._admission.leave()
