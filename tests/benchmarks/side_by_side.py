"""Measures several cases in rounds, each round all of them one after the other, and takes the medians.

So a machine that slows down for a while slows every case, and ratios are made within a round.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from statistics import median

import numpy as np

from tests.benchmarks.load import Load, Measured, Task, run
from tests.benchmarks.servers import Server

IN_FLIGHT = 32
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Case:
    """A name, the server it is sent to, and what makes the tasks of one run."""

    name: str
    server: Server
    tasks: Callable[[], list[Task]]


@dataclass(frozen=True)
class Figures:
    """One case in one round, or its medians.

    per_second: tasks of a closed loop; ratio: to the first case's. cpu_us: microseconds of processor a task, by
    process, in that loop; generator_share: of a core, that the generator took. p50_ms, p99_ms: with arrivals at half
    of that rate.
    """

    per_second: float
    ratio: float
    cpu_us: dict[str, float]
    generator_share: float
    p50_ms: float
    p99_ms: float


def measure(
    cases: Sequence[Case], rounds: int, seconds: float, generator: Executor, tell: Callable[[str], None]
) -> dict[str, list[Figures]]:
    """The figures of every round by case. RuntimeError when a call fails: speed without answers means nothing."""
    measured: dict[str, list[Figures]] = {case.name: [] for case in cases}
    for number in range(rounds):
        first = 0.0
        for case in cases:
            tell(f"round {number + 1} of {rounds}: {case.name}")
            closed = _run(case, generator, seconds, rate=0.0)
            per_second = closed.completed / closed.seconds
            first = first or per_second
            opened = _run(case, generator, seconds, rate=per_second / 2)
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
    """Of each figure by itself."""
    return Figures(
        per_second=median(r.per_second for r in rounds),
        ratio=median(r.ratio for r in rounds),
        cpu_us={name: median(r.cpu_us[name] for r in rounds) for name in rounds[0].cpu_us},
        generator_share=median(r.generator_share for r in rounds),
        p50_ms=median(r.p50_ms for r in rounds),
        p99_ms=median(r.p99_ms for r in rounds),
    )


def _run(case: Case, generator: Executor, seconds: float, rate: float) -> Measured:
    load = Load(case.server.port, case.tasks(), seconds, WARM_UP_SECONDS, rate, IN_FLIGHT, case.server.pids)
    measured = generator.submit(run, load).result()
    if measured.failed or not measured.completed:
        raise RuntimeError(f"{case.name}: {measured.completed} tasks done, calls by failing status: {measured.failed}")
    return measured
