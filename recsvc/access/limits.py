"""How many calls each caller may make: a token bucket for the rate, and a count for calls at the same time."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from recsvc.access.caller import Caller
from recsvc.errors import RateLimited

# Tokens can name any number of clients.
MAX_CALLERS = 10_000
# Calls of a caller end within milliseconds, so a place is soon free again.
_PLACE_SECONDS = 0.1
_ONE_CALL = 1.0 - 1e-9  # tokens; a caller that waited as long as it was told is not refused for rounding


@dataclass(slots=True)
class _Use:
    tokens: float
    filled: float  # when, in monotonic seconds
    running: int = 0


class CallerLimits:
    """Counts the calls of each caller. Threads may share it.

    A caller may save up the calls of one second, and make them at once.

    Args:
        requests_per_second: Of a caller that has no limit of its own. None: no limit.
        concurrent: As above.
        clock: Seconds.
    """

    def __init__(
        self,
        requests_per_second: float | None = None,
        concurrent: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests_per_second = requests_per_second
        self._concurrent = concurrent
        self._clock = clock
        self._uses: OrderedDict[str, _Use] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, caller: Caller) -> Callable[[], None] | None:
        """Counts a call.

        Returns:
            What to call when the call has ended. None: nothing.

        Raises:
            RateLimited: The caller has made too many calls, or has too many running.
        """
        rate = caller.requests_per_second or self._requests_per_second
        most = caller.concurrent or self._concurrent
        if rate is None and most is None:
            return None
        with self._lock:
            use = self._use_of(caller.caller_id, rate)
            if most is not None and use.running >= most:
                raise RateLimited("concurrency", f"{most} calls of this key are running, its limit", _PLACE_SECONDS)
            if rate is not None:
                self._take_token(use, rate)
            if most is None:
                return None
            use.running += 1

        def leave() -> None:
            with self._lock:
                use.running -= 1

        return leave

    def _use_of(self, caller_id: str, rate: float | None) -> _Use:
        use = self._uses.get(caller_id)
        if use is None:
            use = self._uses[caller_id] = _Use(max(rate or 0.0, 1.0), self._clock())
            while len(self._uses) > MAX_CALLERS:
                self._forget_one()
        else:
            self._uses.move_to_end(caller_id)
        return use

    def _forget_one(self) -> None:
        # One that has calls running is kept, else it could have more than its limit.
        idle = next((name for name, use in self._uses.items() if not use.running), None)
        self._uses.pop(idle if idle is not None else next(iter(self._uses)))

    def _take_token(self, use: _Use, rate: float) -> None:
        now = self._clock()
        use.tokens = min(max(rate, 1.0), use.tokens + (now - use.filled) * rate)
        use.filled = now
        if use.tokens < _ONE_CALL:
            raise RateLimited("rate", f"this key may make {rate:g} calls a second", (1.0 - use.tokens) / rate)
        use.tokens -= 1.0
