"""Five times as many calls as a process can answer: by arrivals at a rate, and by clients that ask again at once."""

import time
from collections import Counter
from pathlib import Path

from recsvc.v1 import recommendation_pb2
from tests.benchmarks.load import Load, Measured, Task, run
from tests.faults.load import LIST_LENGTH, user
from tests.faults.row import Figures, Row
from tests.faults.site import Site, descriptors, resident_mb, unforeseen

USERS = 300
PEAK_IN_FLIGHT = 64
TIMES = 5
RECOVERY_SECONDS = 5.0
# Numbers of grpc.StatusCode that retry policies take up: RESOURCE_EXHAUSTED and UNAVAILABLE.
RETRIED = {"8", "14"}


def measure(bundle: Path, seconds: float = 60.0, limit: int = 1_000) -> Figures:
    """Measures the peak, overloads the process in both ways, and looks whether it is well afterwards.

    Args:
        bundle: Folder of the bundle that is served.
        seconds: Length of each overload, and a third of it for each peak.
        limit: The setting `max_concurrent_requests`. Clients that ask again at once are five times as many.
    """
    with Site(bundle) as site:
        service = site.start(store_timeout=2, max_concurrent_requests=limit)
        tasks = tasks_of_users()

        def load(seconds: float, **how: float) -> Measured:
            return run(Load(service.port, tasks, seconds, warm_up=0.0, **how))  # type: ignore[arg-type]

        load(max(seconds / 6, 3.0), in_flight=8)  # each user's first list takes longer
        first = load(seconds / 3, in_flight=PEAK_IN_FLIGHT)
        before = resident_mb(service)
        opened = load(seconds, rate=TIMES * first.completed / first.seconds)
        time.sleep(RECOVERY_SECONDS)
        after_open = load(RECOVERY_SECONDS, rate=first.completed / first.seconds / 2)
        closed = load(seconds, in_flight=TIMES * limit)
        time.sleep(RECOVERY_SECONDS)
        after_closed = load(RECOVERY_SECONDS, rate=first.completed / first.seconds / 2)
        last = load(seconds / 3, in_flight=PEAK_IN_FLIGHT)
        # The machine's speed changes: the mean of both peaks is what the process can do.
        peak = (rate_of(first) + rate_of(last)) / 2
        refused = Counter(opened.failed) + Counter(closed.failed)
        return {
            "peaks_per_second": [round(rate_of(first)), round(rate_of(last))],
            "open_per_second": round(rate_of(opened)),
            "closed_per_second": round(rate_of(closed)),
            "open_goodput": round(rate_of(opened) / peak, 2),
            "closed_goodput": round(rate_of(closed) / peak, 2),
            "refused": dict(refused),
            "refused_with_other_status": sum(n for status, n in refused.items() if status not in RETRIED),
            "failed_after": sum(after_open.failed.values()) + sum(after_closed.failed.values()),
            "p99_ms_after": [p99_ms(after_open), p99_ms(after_closed)],
            "growth_mb": round(resident_mb(service) - before, 1),
            "descriptors": descriptors(service),
            "generator_share": round(max(opened.generator_share, closed.generator_share), 2),
            "unforeseen": unforeseen(service),
        }


def tasks_of_users() -> list[Task]:
    """One list for each user."""
    return [[("/recsvc.v1.RecommendationService/Recommend", _request(number))] for number in range(USERS)]


def rate_of(measured: Measured) -> float:
    """Returns answered calls per second."""
    return measured.completed / measured.seconds


def p99_ms(measured: Measured) -> float:
    """Returns milliseconds; not a number where no call was answered."""
    latencies = sorted(measured.latencies)
    return round(1000 * latencies[len(latencies) * 99 // 100], 1) if latencies else float("nan")


def _request(number: int) -> bytes:
    return recommendation_pb2.RecommendRequest(user_id=user(number), k=LIST_LENGTH).SerializeToString()


ROW = Row(
    measure,
    at_most={"refused_with_other_status": 0, "failed_after": 0, "growth_mb": 100, "unforeseen": 0},
    at_least={"open_goodput": 0.9, "closed_goodput": 0.9},
)

if __name__ == "__main__":
    ROW.main()
