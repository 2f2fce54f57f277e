"""One of two workers of a service is killed again and again (kill -9) under load, with no proxy before it."""

import itertools
import time
from pathlib import Path

from tests.faults.load import CLIENT_RETRIES, EventWriter, SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.service_process import ServiceProcess
from tests.service_workers import workers_of
from tests.serving_bundle import ITEMS

CONNECTIONS = 8
START_SECONDS = 60.0


def measure(
    bundle: Path,
    kills: int = 10,
    lists_per_second: float = 20.0,
    writes_per_second: float = 5.0,
    calm_seconds: float = 1.0,
) -> Figures:
    """Kills the workers in turn. The supervisor starts each again.

    Args:
        bundle: Folder of the bundle that is served.
        kills: How often a worker is killed.
        lists_per_second: Rate of Recommend.
        writes_per_second: Rate of WriteEvents.
        calm_seconds: From the time at which both workers answer to the next kill.
    """
    writer = EventWriter(ITEMS, 1)
    calls = {"list": (ask_for_a_list, lists_per_second), "write": (writer.write, writes_per_second)}
    lists, longest = [0.0], 0.0
    with Site(bundle) as site:
        # A worker that starts takes the time of a core: Redis may be late then, which is another fault.
        service = site.start(workers=2, warm=False, store_timeout=10.0)
        with SteadyLoad([service.address] * CONNECTIONS, calls, CLIENT_RETRIES) as load:
            for number in range(kills):
                time.sleep(calm_seconds)
                lists.append(_lists(service))
                killed_at = time.monotonic()
                workers_of(service)[1 + number % 2].kill()
                _wait_for_restarts(service, number + 1)
                longest = max(longest, time.monotonic() - killed_at)
                lists.append(_lists(service))
        answered = load.codes("list")["OK"] + load.codes("list")["DEGRADED"]
        ended = [line for line in service.log if line.get("event") == "worker_ended"]
        return {
            "calls": len(load.outcomes),
            "calls_failed": load.failed("list") + load.failed("write"),
            "list_codes": dict(load.codes("list")),
            "write_codes": dict(load.codes("write")),
            "details": dict(load.details),
            "kills_without_restart": kills
            - sum(service.metric("recsvc_worker_restarts_total", worker=w) for w in "12"),
            "kills_without_line": kills - len(ended),
            "counters_that_fell": sum(after < before for before, after in itertools.pairwise(lists)),
            "lists_uncounted": answered - _lists(service),
            "longest_restart_seconds": round(longest, 1),
            "unforeseen": unforeseen(service),
        }


def _lists(service: ServiceProcess) -> float:
    return service.metric("recsvc_lists_total", surface="for_you")


def _restarts(service: ServiceProcess) -> float:
    return sum(service.metric("recsvc_worker_restarts_total", worker=worker) for worker in "12")


def _wait_for_restarts(service: ServiceProcess, restarts: int) -> None:
    """Returns when workers were started again so often, and both answer."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if _restarts(service) == restarts and all(service.metric("recsvc_worker_up", worker=w) for w in "12"):
            return
        time.sleep(0.05)
    raise TimeoutError(f"no worker answered within {START_SECONDS:.0f} s after it was killed")


ROW = Row(
    measure,
    at_most={
        "calls_failed": 0,
        "kills_without_restart": 0,
        "kills_without_line": 0,
        "counters_that_fell": 0,
        "unforeseen": 0,
    },
    at_least={"calls": 100},
)

if __name__ == "__main__":
    ROW.main()
