"""Five times as many calls as a process can answer, by arrivals at a rate, through the Envoy file of the product."""

import time
from collections import Counter
from pathlib import Path

from tests.benchmarks.load import Load, Measured, run
from tests.faults.envoy_process import EnvoyProcess
from tests.faults.overload import PEAK_IN_FLIGHT, RECOVERY_SECONDS, RETRIED, TIMES, p99_ms, rate_of, tasks_of_users
from tests.faults.row import Figures, Row
from tests.faults.site import Site, resident_mb, unforeseen


def measure(bundle: Path, seconds: float = 60.0) -> Figures:
    """Measures the peak of one process, overloads it through Envoy, and looks whether it is well afterwards.

    Args:
        bundle: Folder of the bundle that is served.
        seconds: Length of the overload, and a third of it for each peak.
    """
    with Site(bundle) as site:
        service = site.start(store_timeout=2)
        envoy = EnvoyProcess(site.folder, [service.port])
        envoy_port = int(envoy.address.rpartition(":")[2])
        tasks = tasks_of_users()

        def load(port: int, seconds: float, **how: float) -> Measured:
            return run(Load(port, tasks, seconds, warm_up=0.0, **how))  # type: ignore[arg-type]

        try:
            load(service.port, max(seconds / 6, 3.0), in_flight=8)  # each user's first list takes longer
            first = load(service.port, seconds / 3, in_flight=PEAK_IN_FLIGHT)
            before = resident_mb(service)
            opened = load(envoy_port, seconds, rate=TIMES * rate_of(first))
            time.sleep(RECOVERY_SECONDS)
            after = load(envoy_port, RECOVERY_SECONDS, rate=rate_of(first) / 2)
            last = load(service.port, seconds / 3, in_flight=PEAK_IN_FLIGHT)
        finally:
            envoy.close()
        refused = Counter(opened.failed)
        return {
            "peaks_per_second": [round(rate_of(first)), round(rate_of(last))],
            "open_per_second": round(rate_of(opened)),
            "open_goodput": round(2 * rate_of(opened) / (rate_of(first) + rate_of(last)), 2),
            "open_p99_ms": p99_ms(opened),
            "refused": dict(refused),
            "refused_with_other_status": sum(n for status, n in refused.items() if status not in RETRIED),
            "failed_after": sum(after.failed.values()),
            "p99_ms_after": p99_ms(after),
            "growth_mb": round(resident_mb(service) - before, 1),
            "generator_share": round(opened.generator_share, 2),
            "unforeseen": unforeseen(service),
        }


ROW = Row(
    measure,
    at_most={"refused_with_other_status": 0, "failed_after": 0, "growth_mb": 100, "unforeseen": 0},
    at_least={"open_goodput": 0.9},
)

if __name__ == "__main__":
    ROW.main()
