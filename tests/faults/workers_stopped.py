"""A service of two workers is stopped while many calls are in flight, with no proxy before it.

Every second stop sends SIGTERM to the workers too, as systemd does with all processes of a unit.
"""

import itertools
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from tests.faults import stopped_in_flight
from tests.faults.row import Figures, Row
from tests.service_process import ServiceProcess
from tests.service_workers import workers_of

CONNECTIONS = 8


def measure(bundle: Path, stops: int = 6, in_flight: int = 64) -> Figures:
    """Stops a service under a closed loop, and looks how each call ended that was sent before.

    Args:
        bundle: Folder of the bundle that is served.
        stops: How many services are stopped, one after another.
        in_flight: Calls at any time.
    """
    all_processes = itertools.cycle((False, True))
    left_behind: list[psutil.Process] = []

    def stop(service: ServiceProcess) -> int:
        workers = list(workers_of(service).values())
        if next(all_processes):
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
        code = service.stop()
        left_behind.extend(worker for worker in workers if worker.is_running())
        for worker in left_behind:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        return code

    figures = stopped_in_flight.stop_services(
        bundle, stops, in_flight, connections=CONNECTIONS, stop=stop, workers=2, warm=False
    )
    return {**figures, "workers_left_behind": len(left_behind)}


ROW = Row(
    measure,
    at_most={**stopped_in_flight.ROW.at_most, "workers_left_behind": 0},
    at_least=stopped_in_flight.ROW.at_least,
)

if __name__ == "__main__":
    ROW.main()
