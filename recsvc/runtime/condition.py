"""What this process knows to be wrong with its Redis, and with what it follows there.

Lists say it as degradations, `ListBundles` as text, Prometheus as metrics, and the log once.
"""

import time

import structlog

from recsvc.runtime.metrics import FOLLOWER_ERRORS, FOLLOWER_SUCCEEDED, REDIS_LOSSES, REDIS_MAY_EVICT

# Without a success, after which a follower counts as behind. One slow answer of Redis is no news.
BEHIND_SECONDS = 0.5
# How long a loss is shown, so that a person or a rare look at the metrics can see it.
LOSS_SECONDS = 60.0

ITEMS = "items"  # name of what follows the changes of items

_EVICTION_REMEDY = "set it to noeviction, or histories, stock and switches are deleted when its memory is full"

_log = structlog.get_logger(__name__)


class FollowerState:
    """Whether one follower does its work.

    Args:
        name: What it keeps up to date; a label of metrics.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._problem = ""  # since the last success
        self._succeeded_at = time.monotonic()
        self._logged: set[str] = set()

    @property
    def problem(self) -> str:
        """The last error of a follower that is behind; '' for one that is not."""
        is_behind = self._problem and time.monotonic() - self._succeeded_at > BEHIND_SECONDS
        return self._problem if is_behind else ""

    def succeeded(self) -> None:
        """Notes that a step did its work."""
        if self._logged:
            _log.info("follower_caught_up", follower=self.name)
            self._logged.clear()
        self._problem = ""
        self._succeeded_at = time.monotonic()
        FOLLOWER_SUCCEEDED.labels(self.name).set_to_current_time()

    def failed(self, error: Exception, *, expected: bool) -> None:
        """Notes that a step raised. Each kind of error is logged once until the next success.

        Args:
            error: What it raised.
            expected: Whether the text of the error is known to hold no user data. An expected error is logged only
                when the follower is behind.
        """
        FOLLOWER_ERRORS.labels(self.name).inc()
        self._problem = str(error) if expected else f"{type(error).__name__}: the server's log has the details"
        if (self.problem or not expected) and self._problem not in self._logged:
            self._logged.add(self._problem)
            trace = None if expected else error
            _log.error("follower_behind", follower=self.name, problem=self._problem, exc_info=trace)


class ServiceCondition:
    """The problems of one process. For the event loop's thread alone."""

    def __init__(self) -> None:
        self._followers: set[FollowerState] = set()
        self._lost_at: dict[str, float] = {}
        self._policy = ""

    def watch(self, follower: FollowerState) -> None:
        """Counts a follower in."""
        self._followers.add(follower)

    def unwatch(self, follower: FollowerState) -> None:
        """Drops a follower that was closed."""
        self._followers.discard(follower)

    def is_behind(self, name: str) -> bool:
        """Returns whether a follower of this name is behind."""
        return any(follower.name == name and follower.problem for follower in self._followers)

    def lost(self, data: str, count: int, consequence: str) -> None:
        """Notes that Redis lost data.

        Args:
            data: What was lost; a label of the metric.
            count: How many values or keys.
            consequence: What this process does about it, or what a person should do.
        """
        REDIS_LOSSES.labels(data).inc(count)
        if not self._is_recent(data):
            _log.error("redis_lost_data", data=data, count=count, consequence=consequence)
        self._lost_at[data] = time.monotonic()

    @property
    def has_lost_data(self) -> bool:
        """Whether Redis lost data within the last `LOSS_SECONDS`."""
        return any(map(self._is_recent, self._lost_at))

    def evicts(self, policy: str) -> None:
        """Notes the policy under which Redis may evict keys; '' if it keeps all of them."""
        if policy == self._policy:
            return
        self._policy = policy
        REDIS_MAY_EVICT.set(bool(policy))
        if policy:
            _log.warning("redis_may_evict", maxmemory_policy=policy, remedy=_EVICTION_REMEDY)
        else:
            _log.info("redis_keeps_all_keys")

    def problems(self) -> tuple[str, ...]:
        """Returns a sentence about each thing that is wrong now."""
        behind = sorted((follower.name, follower.problem) for follower in self._followers if follower.problem)
        problems = [f"{name} cannot be followed: {problem}" for name, problem in dict(behind).items()]
        problems += [f"Redis lost data: {data}" for data in sorted(filter(self._is_recent, self._lost_at))]
        if self._policy:
            problems.append(f"Redis may evict keys (maxmemory-policy {self._policy}): {_EVICTION_REMEDY}")
        return tuple(problems)

    def _is_recent(self, data: str) -> bool:
        lost_at = self._lost_at.get(data)
        return lost_at is not None and time.monotonic() - lost_at < LOSS_SECONDS
