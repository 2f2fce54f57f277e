"""Bundles are activated and rolled back again and again while lists are asked for."""

import time
from pathlib import Path

import grpc

from recsvc.v1 import models_pb2
from recsvc.v1.models_pb2_grpc import ModelServiceStub
from tests.faults.bundles import make_variants
from tests.faults.load import DEGRADED, FEW_USERS, SteadyLoad, ask_for_few
from tests.faults.row import Figures, Row
from tests.faults.site import Site, descriptors, resident_mb, unforeseen
from tests.service_process import ServiceProcess

VARIANTS = 6
WARM_UP_LOADS = 6
SECONDS_TO_FOLLOW = 60.0


def measure(bundle: Path, loads: int = 30, lists_per_second: float = 40.0) -> Figures:
    """Activates bundles that are not in memory, each third time after a rollback.

    Args:
        bundle: Folder of the bundle whose variants are served.
        loads: Bundles that are activated, after the first 6.
        lists_per_second: Rate of Recommend.
    """
    with Site(bundle) as site:
        variants = make_variants(bundle, site.folder / "bundles", VARIANTS)
        services = site.start_two(bundle=variants[0], store_timeout=2)
        resident, longest = [], 0.0
        with SteadyLoad([service.address for service in services], {"list": (ask_for_few, lists_per_second)}) as load:
            load.wait_for("list", 2 * len(services) * FEW_USERS)
            for number in range(WARM_UP_LOADS + loads):
                longest = max(longest, _activate(services, variants[1 + number % (VARIANTS - 1)].name))
                if number % 3 == 2:
                    longest = max(longest, _roll_back(services))
                resident.append([round(resident_mb(service), 1) for service in services])
        growth = [end - begin for begin, end in zip(resident[WARM_UP_LOADS - 1], resident[-1], strict=True)]
        return {
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "lists_degraded": load.codes("list")[DEGRADED],
            "list_codes": dict(load.codes("list")),
            "longest_until_both_follow_seconds": round(longest, 2),
            "resident_mb": [resident[0], resident[WARM_UP_LOADS - 1], resident[-1]],
            "growth_mb": round(max(growth), 1),
            "descriptors": max(map(descriptors, services)),
            "unforeseen": sum(map(unforeseen, services)),
        }


def _activate(services: list[ServiceProcess], bundle_id: str) -> float:
    """Seconds until both processes answer with the bundle."""
    began = time.monotonic()
    with services[0].channel() as channel:
        ModelServiceStub(channel).ActivateBundle(models_pb2.ActivateBundleRequest(bundle_id=bundle_id), timeout=60)
    _wait_until_served(services, bundle_id)
    return time.monotonic() - began


def _roll_back(services: list[ServiceProcess]) -> float:
    began = time.monotonic()
    with services[1].channel() as channel:
        bundle_id = ModelServiceStub(channel).RollBack(models_pb2.RollBackRequest(), timeout=60).bundle_id
    _wait_until_served(services, bundle_id)
    return time.monotonic() - began


def _wait_until_served(services: list[ServiceProcess], bundle_id: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_FOLLOW
    for service in services:
        with service.channel() as channel:
            models = ModelServiceStub(channel)
            while not _is_served(models, bundle_id, len(services)):
                assert time.monotonic() < deadline, f"not every process serves {bundle_id}"
                time.sleep(0.1)


def _is_served(models: ModelServiceStub, bundle_id: str, processes: int) -> bool:
    try:
        listed = models.ListBundles(models_pb2.ListBundlesRequest(), timeout=10).processes
    except grpc.RpcError:
        return False
    return sum(process.serving_bundle_id == bundle_id for process in listed) == processes


ROW = Row(
    measure,
    at_most={"lists_failed": 0, "growth_mb": 5, "unforeseen": 0},
    at_least={"lists": 1},
)

if __name__ == "__main__":
    ROW.main()
