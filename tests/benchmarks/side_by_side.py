"""Measures several cases in rounds, and takes the medians. In each round all cases run, one after the other.

So if the machine is slow for a while, all cases are slow. Ratios are taken within a round.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from statistics import median

import numpy as np

from tests.benchmarks.load import Load, Measured, Task, run
from tests.benchmarks.servers import Server

IN_FLIGHT = 32
# With a larger share of a core, the generator may have been the bottleneck.
BUSY_GENERATOR = 0.9
WARM_UP_SECONDS = 1.0


class CallsFailed(RuntimeError):
    """A call failed while speed was measured."""


@dataclass(frozen=True)
class Case:
    """A case to measure. tasks: makes the tasks of one run."""

    name: str
    server: Server
    tasks: Callable[[], list[Task]]


@dataclass(frozen=True)
class Figures:
    """The figures of one case in one round, or their medians.

    Attributes:
        per_second: Tasks per second in a closed loop.
        ratio: per_second relative to the first case.
        cpu_us: Microseconds of processor time per task in that loop, by process.
        generator_share: The share of a core that the generator used in that loop.
        p50_ms: Median latency, with arrivals at half of that rate.
        p99_ms: 99th percentile of the latency, with the same arrivals.
    """

    per_second: float
    ratio: float
    cpu_us: dict[str, float]
    generator_share: float
    p50_ms: float
    p99_ms: float

    @property
    def busy_mark(self) -> str:
        """A star if the generator may have been the bottleneck."""
        return "*" if self.generator_share > BUSY_GENERATOR else ""


def measure(
    cases: Sequence[Case], rounds: int, seconds: float, generator: Executor, show: Callable[[str], None]
) -> dict[str, list[Figures]]:
    """Measures every case in every round. Raises CallsFailed if one fails: speed then means nothing."""
    measured: dict[str, list[Figures]] = {case.name: [] for case in cases}
    for number in range(rounds):
        first = 0.0
        for case in cases:
            show(f"round {number + 1} of {rounds}: {case.name}")
            closed = run_case(case, generator, seconds)
            per_second = closed.completed / closed.seconds
            first = first or per_second
            opened = run_case(case, generator, seconds, rate=per_second / 2)
            p50, p99 = np.percentile(opened.latencies, (50, 99)) * 1_000
            measured[case.name].append(
                Figures(
                    per_second=per_second,
                    ratio=per_second / first,
                    cpu_us={name: spent / closed.completed * 1e6 for name, spent in closed.cpu_seconds.items()},
                    generator_share=closed.generator_share,
                    p50_ms=float(p50),
                    p99_ms=float(p99),
                )
            )
    return measured


def medians(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure on its own."""
    return Figures(
        per_second=median(r.per_second for r in rounds),
        ratio=median(r.ratio for r in rounds),
        cpu_us={name: median(r.cpu_us[name] for r in rounds) for name in rounds[0].cpu_us},
        generator_share=median(r.generator_share for r in rounds),
        p50_ms=median(r.p50_ms for r in rounds),
        p99_ms=median(r.p99_ms for r in rounds),
    )


def run_case(case: Case, generator: Executor, seconds: float, rate: float = 0.0) -> Measured:
    """Measures one case once.

    Args:
        case: The server and its tasks.
        generator: The process that makes the load.
        seconds: How long is measured, after a warm-up.
        rate: Tasks a second, with Poisson arrivals. 0: a closed loop.

    Raises:
        CallsFailed: A call failed, or none was answered.
    """
    server = case.server
    load = Load(
        server.port,
        case.tasks(),
        seconds,
        WARM_UP_SECONDS,
        rate,
        IN_FLIGHT,
        server.pids,
        protocol=server.protocol,
    )
    measured = generator.submit(run, load).result()
    if measured.failed or not measured.completed:
        raise CallsFailed(f"{case.name}: {measured.completed} tasks done, calls by failing status: {measured.failed}")
    return measured
