"""Redis hangs (SIGSTOP): it takes connections, and answers nothing."""

import time
from pathlib import Path

from tests.faults.load import EventWriter, SteadyLoad, ask_for_a_list, percentile
from tests.faults.row import Figures, Row
from tests.faults.site import Site, descriptors, unforeseen
from tests.serving_bundle import ITEMS

WARM_UP_SECONDS = 5.0


def measure(
    bundle: Path,
    pause_seconds: float = 30.0,
    before_seconds: float = 30.0,
    lists_per_second: float = 40.0,
    writes_per_second: float = 20.0,
) -> Figures:
    """Pauses Redis, and compares the latencies of lists with those before.

    Args:
        bundle: Folder of the bundle that is served.
        pause_seconds: How long Redis hangs.
        before_seconds: How long the latencies are measured before that.
        lists_per_second: Rate of Recommend.
        writes_per_second: Rate of WriteEvents.
    """
    writer = EventWriter(ITEMS, 4)
    with Site(bundle) as site:
        services = site.start_two()
        calls = {"list": (ask_for_a_list, lists_per_second), "write": (writer.write, writes_per_second)}
        with SteadyLoad([service.address for service in services], calls) as load:
            time.sleep(min(WARM_UP_SECONDS, before_seconds))
            began = time.monotonic()
            time.sleep(before_seconds)
            paused = time.monotonic()
            site.redis.pause()
            time.sleep(pause_seconds)
            most_descriptors = max(map(descriptors, services))
            resumed = time.monotonic()
            site.redis.resume()
            time.sleep(min(3.0, pause_seconds))
        before, meanwhile = load.of("list", began, paused), load.of("list", paused, resumed)
        normal, slow = percentile(before, 0.99), percentile(meanwhile, 0.99)
        degraded = [outcome.ended - resumed for outcome in load.of("list", resumed) if outcome.code == "DEGRADED"]
        return {
            "lists_while_paused": len(meanwhile),
            "lists_failed": load.failed("list"),
            "p50_ms_before": percentile(before, 0.5),
            "p50_ms_paused": percentile(meanwhile, 0.5),
            "p99_ms_before": normal,
            "p99_ms_paused": slow,
            "p99_ratio": round(slow / normal, 2),
            "longest_ms_paused": percentile(meanwhile, 1.0),
            "degraded_after_seconds": round(max(degraded, default=0.0), 2),
            "write_codes": dict(load.codes("write")),
            "most_descriptors": most_descriptors,
            "unforeseen": sum(map(unforeseen, services)),
        }


ROW = Row(
    measure,
    at_most={"lists_failed": 0, "p99_ratio": 3, "unforeseen": 0},
    at_least={"lists_while_paused": 1},
)

if __name__ == "__main__":
    ROW.main()
