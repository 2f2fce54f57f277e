"""Five times as many calls as two processes behind the given Envoy answer: by arrivals, and by clients in a circle."""

import itertools
import os
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.benchmarks.load import BackOff, Load, Measured, run
from tests.faults.envoy_process import EnvoyProcess
from tests.faults.overload import RECOVERY_SECONDS, RETRIED, TIMES, p99_ms, rate_of, tasks_of_users
from tests.faults.row import Figures, Row
from tests.faults.site import Site, resident_mb, unforeseen

PEAK_IN_FLIGHT = 128
# The retry policy that docs/overload.md gives to clients.
POLICY = BackOff(initial_seconds=0.2, longest_seconds=2.0)


def measure(bundle: Path, seconds: float = 60.0, clients: int = 5_000) -> Figures:
    """Measures the peak, overloads both processes in three ways, and looks after each whether they are well.

    Args:
        bundle: Folder of the bundle that is served.
        seconds: Length of each overload, and a third of it for each peak.
        clients: In a circle: once they wait after refusals by the retry policy, and once they ask again at once.
    """
    with Site(bundle) as site:
        services = site.start_two(store_timeout=2)
        envoy = EnvoyProcess(site.folder, [service.port for service in services])
        tasks = tasks_of_users()

        def load(seconds: float, **how: object) -> Measured:
            return run(Load(envoy.port, tasks, seconds, warm_up=0.0, **how))  # type: ignore[arg-type]

        def memory_mb() -> float:
            return sum(map(resident_mb, services)) + psutil.Process(envoy.process.pid).memory_info().rss / 2**20

        _share_the_processors([service.process.pid for service in services], envoy.process.pid)
        try:
            load(max(seconds / 3, 3.0), in_flight=PEAK_IN_FLIGHT)  # caches fill, and a cold process has a lower limit
            peaks = [load(seconds / 3, in_flight=PEAK_IN_FLIGHT)]
            before = memory_mb()
            ways: dict[str, dict[str, object]] = {
                "open": {"rate": TIMES * rate_of(peaks[0])},
                "patient": {"in_flight": clients, "back_off": POLICY},
                "hasty": {"in_flight": clients},
            }
            overloads, afterwards = {}, {}
            for name, how in ways.items():
                overloads[name] = load(seconds, **how)
                time.sleep(RECOVERY_SECONDS)
                afterwards[name] = load(RECOVERY_SECONDS, rate=rate_of(peaks[0]) / 2)
                # The machine's speed changes: each overload is compared with the mean of the peaks around it.
                peaks.append(load(seconds / 3, in_flight=PEAK_IN_FLIGHT))
            growth_mb = memory_mb() - before
        finally:
            envoy.close()
        around = [(rate_of(first) + rate_of(last)) / 2 for first, last in itertools.pairwise(peaks)]
        refused: Counter[str] = sum((Counter(overload.failed) for overload in overloads.values()), Counter())
        return {
            "peaks_per_second": [round(rate_of(peak)) for peak in peaks],
            **{
                f"{name}_goodput": round(rate_of(overload) / peak, 2)
                for (name, overload), peak in zip(overloads.items(), around, strict=True)
            },
            **{f"{name}_median_ms": median_ms(overload) for name, overload in overloads.items()},
            **{f"{name}_p99_ms": p99_ms(overload) for name, overload in overloads.items()},
            "refused": {name: overload.failed for name, overload in overloads.items()},
            "refused_with_other_status": sum(n for status, n in refused.items() if status not in RETRIED),
            "failed_after": sum(sum(after.failed.values()) for after in afterwards.values()),
            "p99_ms_after": [p99_ms(after) for after in afterwards.values()],
            "growth_mb": round(growth_mb, 1),
            "generator_share": {name: round(overload.generator_share, 2) for name, overload in overloads.items()},
            "unforeseen": sum(map(unforeseen, services)),
        }


def _share_the_processors(services: list[int], envoy: int) -> None:
    """Gives the services one half, and Envoy and this process the other: a proxy takes no time of servers elsewhere."""
    processors = sorted(os.sched_getaffinity(0))
    half = max(len(processors) // 2, 1)
    for pid in services:
        _run_on(pid, processors[:half])
    for pid in (envoy, os.getpid()):
        _run_on(pid, processors[half:] or processors)


def _run_on(pid: int, processors: list[int]) -> None:
    for thread in psutil.Process(pid).threads():
        os.sched_setaffinity(thread.id, processors)


def median_ms(measured: Measured) -> float:
    """Returns milliseconds; not a number where no call was answered."""
    latencies = sorted(measured.latencies)
    return round(1000 * latencies[len(latencies) // 2], 1) if latencies else float("nan")


ROW = Row(
    measure,
    at_most={"refused_with_other_status": 0, "failed_after": 0, "growth_mb": 100, "unforeseen": 0},
    at_least={"open_goodput": 0.9, "patient_goodput": 0.9},
)

if __name__ == "__main__":
    ROW.main()
