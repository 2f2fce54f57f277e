"""What is written through one worker of a service is visible on the other, while both have other calls to answer."""

from pathlib import Path

import numpy as np

from tests.benchmarks import freshness
from tests.faults.load import SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.integration.clients import Storefront
from tests.service_workers import channel_to, workers_of


def measure(bundle: Path, lists_per_second: float = 20.0) -> Figures:
    """Writes events, stock and new items through one worker, and asks the other for them.

    Args:
        bundle: Folder of the bundle that is served.
        lists_per_second: Rate of Recommend of other callers.
    """
    with Site(bundle) as site:
        service = site.start(workers=2, warm=False, store_timeout=10.0)
        one, two = (channel_to(worker, service.address) for worker in workers_of(service).values())
        load = SteadyLoad([service.address] * 4, {"list": (ask_for_a_list, lists_per_second)})
        with one, two:
            shops = Storefront(one), Storefront(two)
            for shop in shops:  # the first call is slow
                shop.recommend("somebody")
            with load:
                seconds = freshness.measure(*shops)
        p99 = {change: round(1e3 * float(np.percentile(times, 99)), 1) for change, times in seconds.items()}
        return {
            "changes": sum(map(len, seconds.values())),
            "event_p99_ms": p99["event, from its acknowledgement"],
            "stock_p99_ms": p99["stock"],
            "new_item_p99_ms": p99["new item"],
            "calls_failed": load.failed("list"),
            "unforeseen": unforeseen(service),
        }


ROW = Row(
    measure,
    at_most={
        "event_p99_ms": 30.0,
        "stock_p99_ms": 500.0,
        "new_item_p99_ms": 500.0,
        "calls_failed": 0,
        "unforeseen": 0,
    },
    at_least={"changes": 200},
)

if __name__ == "__main__":
    ROW.main()
