"""A load generator with a closed loop or Poisson arrivals. It measures latencies and the processor time of servers.

With arrivals, a task's latency counts from the time when it should have started. So the tasks that wait for a stalled
server count as slow (this avoids Tene's coordinated omission). The latency of a client that backs off counts from its
first call.
"""

import gc
import heapq
import itertools
import random
import select
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psutil

from tests.benchmarks import http1_calls, http2_calls
from tests.benchmarks.http2_calls import Answer

Task = Sequence[tuple[str, bytes]]
"""Calls that are made one after the other, each with its method's path and its message."""

Connection = http1_calls.Connection | http2_calls.Connection
CONNECTIONS = 4
DRAIN_SECONDS = 10.0  # after the end; calls without an answer by then have failed
_NEVER = float("inf")


@dataclass(frozen=True)
class BackOff:
    """How a client waits after a refusal, as the retry policy of gRPC: `initial_seconds`, then twice as long each time.

    The wait is random within a fifth. A server that says how long to wait is obeyed.
    """

    initial_seconds: float
    longest_seconds: float

    def seconds(self, refusals: int, pause_seconds: float, rng: random.Random) -> float:
        """Returns the wait after a number of refusals in a row; `pause_seconds` is what the server said, or 0."""
        own = min(self.initial_seconds * 2.0 ** min(refusals - 1, 20), self.longest_seconds) * rng.uniform(0.8, 1.2)
        return pause_seconds or own


@dataclass(frozen=True)
class Load:
    """A run of the generator.

    Attributes:
        port: Where the server listens.
        tasks: Are sent in a circle.
        seconds: How long is measured.
        warm_up: Seconds before that.
        rate: Tasks per second on average. 0: a closed loop.
        in_flight: Tasks at any time in a closed loop.
        pids: The processes whose time is measured, by name.
        seed: Of the arrivals.
        back_off: How a client of a closed loop waits after a refusal. None: it asks again at once.
        connections: How many at least. More are opened when none has room for a call.
        protocol: gRPC over HTTP/2, or GET over HTTP/1.1 with one call at a time on a connection.
    """

    port: int
    tasks: Sequence[Task]
    seconds: float
    warm_up: float
    rate: float = 0.0
    in_flight: int = 32
    pids: dict[str, int] = field(default_factory=dict)
    seed: int = 0
    back_off: BackOff | None = None
    connections: int = CONNECTIONS
    protocol: type[Connection] = http2_calls.Connection


@dataclass(frozen=True)
class Measured:
    """The result of a run.

    Attributes:
        seconds: How long was measured.
        completed: Tasks that succeeded within the measured time.
        latencies: Seconds of every task that should have started within the measured time.
        answer_bytes: Mean size of the last answer of a task.
        failed: How many calls failed, by status, over the whole run.
        cpu_seconds: Processor time of each process, by name.
        generator_share: The share of one core that the generator used.
    """

    seconds: float
    completed: int
    latencies: list[float]
    answer_bytes: float
    failed: dict[str, int]
    cpu_seconds: dict[str, float]
    generator_share: float


def run(load: Load) -> Measured:
    """Runs until every call is answered. Raises ConnectionError if the server closes a connection."""
    generator = _Generator(load)
    gc.freeze()  # a garbage collection would visit all tasks, which are many
    try:
        return generator.run()
    finally:
        gc.unfreeze()
        generator.close()


@dataclass(slots=True)
class _Running:
    task: Task
    calls_made: int
    scheduled: float
    refusals: int = 0  # of this client, in a row


class _Generator:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._tasks = itertools.cycle(load.tasks)
        self._connections: dict[int, Connection] = {}
        self._turn: deque[Connection] = deque()
        for _ in range(load.connections):
            self._open()
        self._running: dict[tuple[Connection, int], _Running] = {}
        self._processes = {name: psutil.Process(pid) for name, pid in load.pids.items()}
        self._begin = time.perf_counter() + load.warm_up
        self._end = self._begin + load.seconds
        self._sizes: list[int] = []
        self._latencies: list[float] = []
        self._failed: Counter[str] = Counter()
        self._waiting: list[tuple[float, int, float]] = []  # refused clients: when they ask again, refusals, first time
        self._rng = random.Random(load.seed)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def _open(self) -> Connection:
        connection = self._load.protocol(self._load.port)
        self._connections[connection.socket.fileno()] = connection
        self._turn.append(connection)
        return connection

    def _next_connection(self) -> Connection:
        """The next one with room for a call, in turn; a new one if none has room."""
        for _ in range(len(self._turn)):
            self._turn.rotate(-1)
            if self._turn[-1].has_room:
                return self._turn[-1]
        return self._open()

    def run(self) -> Measured:
        for _ in range(0 if self._load.rate else self._load.in_flight):
            self._start(self._next_connection(), time.perf_counter())
        arrivals = self._arrivals()
        arrival = next(arrivals, _NEVER)
        # When the clocks of the servers are read, and their readings.
        moments = [self._begin, self._end, self._end + DRAIN_SECONDS]
        readings: list[dict[str, float]] = []
        while True:
            now = time.perf_counter()
            while now >= moments[len(readings)]:
                readings.append(self._clocks())
                if len(readings) == len(moments):
                    return self._measured(readings)
            while arrival <= now:
                self._start(self._next_connection(), arrival)
                arrival = next(arrivals, _NEVER)
            while self._waiting and self._waiting[0][0] <= now:
                _, refusals, scheduled = heapq.heappop(self._waiting)
                if now < self._end:
                    self._start(self._next_connection(), scheduled, refusals)
            if not self._running and len(readings) == len(moments) - 1:
                break  # who still waits to ask again does not ask
            for connection in self._connections.values():
                connection.flush()
            self._receive(min(arrival, moments[len(readings)], self._waiting[0][0] if self._waiting else _NEVER))
        return self._measured(readings)

    def _arrivals(self) -> Iterator[float]:
        rng, arrival = random.Random(self._load.seed), time.perf_counter()
        while self._load.rate and (arrival := arrival + rng.expovariate(self._load.rate)) < self._end:
            yield arrival

    def _start(self, connection: Connection, scheduled: float, refusals: int = 0) -> None:
        task = next(self._tasks)
        self._running[connection, connection.call(*task[0])] = _Running(task, 1, scheduled, refusals)

    def _receive(self, until: float) -> None:
        # Not `selectors`: its epoll counts in whole milliseconds.
        readable, _, _ = select.select(self._connections, (), (), max(until - time.perf_counter(), 0))
        for descriptor in readable:
            for answer in self._connections[descriptor].answers():
                self._ended(self._connections[descriptor], answer)

    def _ended(self, connection: Connection, answer: Answer) -> None:
        running, now = self._running.pop((connection, answer.stream)), time.perf_counter()
        if answer.status != "0":
            self._failed[answer.status] += 1
            back_off = self._load.back_off
            if back_off is not None and not self._load.rate:
                refusals = running.refusals + 1
                wait = back_off.seconds(refusals, answer.pause_seconds, self._rng)
                heapq.heappush(self._waiting, (now + wait, refusals, running.scheduled))
                return
        elif running.calls_made < len(running.task):
            stream = connection.call(*running.task[running.calls_made])
            running.calls_made += 1
            self._running[connection, stream] = running
            return
        else:
            if self._begin <= now < self._end:
                self._sizes.append(answer.size)
            if self._begin <= running.scheduled < self._end:
                self._latencies.append(now - running.scheduled)
        if not self._load.rate and now < self._end:
            self._start(connection, now)

    def _clocks(self) -> dict[str, float]:
        spent = {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}
        return {**spent, "generator": time.process_time(), "wall": time.perf_counter()}

    def _measured(self, readings: list[dict[str, float]]) -> Measured:
        if self._running:
            self._failed["unanswered"] = len(self._running)
        spent = {name: readings[1][name] - readings[0][name] for name in readings[0]}
        seconds = spent.pop("wall")
        return Measured(
            seconds=seconds,
            completed=len(self._sizes),
            latencies=self._latencies,
            answer_bytes=sum(self._sizes) / max(len(self._sizes), 1),
            failed=dict(self._failed),
            generator_share=spent.pop("generator") / seconds,
            cpu_seconds=spent,
        )
