"""What this process knows to be wrong: with its Redis, with what it follows there, and with its own parts.

Lists say it as degradations, gRPC health as services, `ListBundles` as text, Prometheus as metrics, and the log once.
"""

import asyncio
import time

import structlog

from recsvc.domain.degradation import Degradation
from recsvc.errors import SettingsError
from recsvc.runtime.metrics import (
    CONDITION_ACTIVE,
    CONDITIONS,
    FOLLOWER_ERRORS,
    FOLLOWER_SUCCEEDED,
    REDIS_LOSSES,
    REDIS_MAY_EVICT,
)
from recsvc.runtime.rungs import DEGRADATION_OF, Rung

# Without a success, after which a follower counts as behind. One slow answer of Redis is no news.
BEHIND_SECONDS = 0.5
# How long a loss is shown, so that a person or a rare look at the metrics can see it.
LOSS_SECONDS = 60.0

ITEMS = "items"  # name of what follows the changes of items
EVICTED = "evicted"  # name of the data that Redis has deleted to make room

_EVICTION_REMEDY = "set it to noeviction, or histories, stock and switches are deleted when its memory is full"

# Other lines of the log say these, with details.
_LOGGED_ELSEWHERE = (Rung.REDIS_LOST_DATA, Rung.REDIS_EVICTING, Rung.REDIS_MAY_EVICT, Rung.ITEMS_BEHIND)

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
        self._on: dict[Rung, str] = {}
        self._degradations: frozenset[Degradation] = frozenset()
        self._changed = asyncio.Event()
        self._unusable: SettingsError | None = None
        for rung in Rung:
            CONDITION_ACTIVE.labels(rung.value).set(0)

    def watch(self, follower: FollowerState) -> None:
        """Counts a follower in."""
        self._followers.add(follower)

    def unwatch(self, follower: FollowerState) -> None:
        """Drops a follower that was closed."""
        self._followers.discard(follower)

    def set(self, rung: Rung, problem: str) -> None:
        """Notes that the process is on a rung, or no longer.

        Args:
            rung: The rung.
            problem: What is wrong and what to do about it, without data of users; '' if the process has left the rung.
        """
        before = self._on.get(rung, "")
        if problem == before:
            return
        if problem:
            self._on[rung] = problem
        else:
            del self._on[rung]
        if bool(problem) == bool(before):
            return
        self._degradations = frozenset(DEGRADATION_OF[rung] for rung in self._on if rung in DEGRADATION_OF)
        CONDITION_ACTIVE.labels(rung.value).set(bool(problem))
        if problem:
            CONDITIONS.labels(rung.value).inc()
        if rung not in _LOGGED_ELSEWHERE:
            if problem:
                _log.warning("condition", condition=rung.value, problem=problem)
            else:
                _log.info("condition_ended", condition=rung.value)
        self._announce()

    def is_on(self, rung: Rung) -> bool:
        """Returns whether the process is on a rung."""
        return rung in self._on

    @property
    def degradations(self) -> frozenset[Degradation]:
        """What every list lacks now."""
        self.refresh()
        return self._degradations

    def refresh(self) -> None:
        """Enters and leaves the rungs that depend on time. `StoreFollower` calls it, too."""
        if self._lost_at:
            self._show_losses()
        if self._followers:
            behind = next((f.problem for f in self._followers if f.name == ITEMS and f.problem), "")
            if behind or Rung.ITEMS_BEHIND in self._on:
                self.set(Rung.ITEMS_BEHIND, behind and f"{ITEMS} cannot be followed: {behind}")

    @property
    def changed(self) -> asyncio.Event:
        """Is set when the process next enters or leaves a rung, or proves to be unusable. Read it before the state."""
        return self._changed

    def unusable(self, error: SettingsError) -> None:
        """Notes that the process can never do its work with these settings, and must end."""
        self._unusable = error
        self._announce()

    async def wait_unusable(self) -> SettingsError:
        """Returns why the process must end, once it must."""
        while self._unusable is None:
            await self._changed.wait()
        return self._unusable

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
        self._show_losses()

    def evicts(self, policy: str) -> None:
        """Notes the policy under which Redis may evict keys; '' if it keeps all of them."""
        REDIS_MAY_EVICT.set(bool(policy))
        problem = policy and f"Redis may evict keys (maxmemory-policy {policy}): {_EVICTION_REMEDY}"
        if problem == self._on.get(Rung.REDIS_MAY_EVICT, ""):
            return
        if policy:
            _log.warning("redis_may_evict", maxmemory_policy=policy, remedy=_EVICTION_REMEDY)
        else:
            _log.info("redis_keeps_all_keys")
        self.set(Rung.REDIS_MAY_EVICT, problem)

    def problems(self) -> tuple[str, ...]:
        """Returns a sentence about each thing that is wrong now."""
        self.refresh()
        behind = sorted((follower.name, follower.problem) for follower in self._followers if follower.problem)
        problems = [f"{name} cannot be followed: {problem}" for name, problem in dict(behind).items()]
        return tuple(dict.fromkeys((*problems, *(self._on[rung] for rung in sorted(self._on)))))

    def _show_losses(self) -> None:
        recent = sorted(filter(self._is_recent, self._lost_at))
        others = ", ".join(data for data in recent if data != EVICTED)
        self.set(Rung.REDIS_LOST_DATA, others and f"Redis lost data: {others}")
        self.set(Rung.REDIS_EVICTING, "Redis lost data: evicted" if EVICTED in recent else "")
        if not recent:
            self._lost_at.clear()

    def _is_recent(self, data: str) -> bool:
        lost_at = self._lost_at.get(data)
        return lost_at is not None and time.monotonic() - lost_at < LOSS_SECONDS

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
