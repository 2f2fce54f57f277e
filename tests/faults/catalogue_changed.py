"""One item is described again and again (UpsertItems) while lists are asked for: memory stays level."""

import time
from pathlib import Path

import grpc

from tests.faults.load import SteadyLoad, ask_for_few
from tests.faults.row import Figures, Row
from tests.faults.site import Site, descriptors, resident_mb, unforeseen
from tests.integration.clients import Storefront

WARM_UP_UPSERTS = 200
GAUGES = 10
START_SECONDS = 300.0  # on a busy machine


def measure(bundle: Path, upserts: int = 2_000, lists_per_second: float = 10.0) -> Figures:
    """Gives an item new words, one call after another. The table's length is 10,000.

    Args:
        bundle: Folder of the bundle that is served.
        upserts: Calls, after the first 200.
        lists_per_second: Rate of Recommend.
    """
    with Site(bundle) as site:
        service = site.start(warm=False, start_seconds=START_SECONDS, store_timeout=5)
        refused, resident, began = 0, [], time.monotonic()
        with (
            service.channel() as channel,
            SteadyLoad([service.address], {"list": (ask_for_few, lists_per_second)}) as load,
        ):
            shop = Storefront(channel)
            for number in range(WARM_UP_UPSERTS + upserts):
                words = f"Kettle {number} {chr(97 + number % 26) * 6}"
                try:
                    shop.add("one", words, categories="Kitchen > Kettles")
                except grpc.RpcError:
                    refused += 1
                if number >= WARM_UP_UPSERTS - 1 and (number - WARM_UP_UPSERTS + 1) % max(upserts // GAUGES, 1) == 0:
                    resident.append(round(resident_mb(service), 1))
        return {
            "upserts_refused": refused,
            "upserts_per_second": round((WARM_UP_UPSERTS + upserts) / (time.monotonic() - began), 1),
            "resident_mb": resident,
            "growth_mb": round(resident[-1] - resident[0], 1),
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "descriptors": descriptors(service),
            "unforeseen": unforeseen(service),
        }


ROW = Row(
    measure,
    at_most={"growth_mb": 20, "upserts_refused": 0, "lists_failed": 0, "unforeseen": 0},
    at_least={"lists": 1},
)

if __name__ == "__main__":
    ROW.main()
