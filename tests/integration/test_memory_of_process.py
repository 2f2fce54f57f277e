"""The memory of a process does not grow with the bundles that it has dropped, nor with changes of its items."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recsvc.model import bundle_files as bundles
from recsvc.v1 import models_pb2
from recsvc.v1.models_pb2_grpc import ModelServiceStub
from tests.integration.clients import Storefront
from tests.service_process import ServiceProcess

pytestmark = pytest.mark.slow

VARIANTS, WARM_UP_LOADS, LOADS = 6, 6, 24
WARM_UP_CHANGES, CHANGES = 100, 500
LOADS_MB, CHANGES_MB = 10, 20  # of growth that is allowed; one bundle that stays takes some 5


def resident_mb(service: ServiceProcess) -> float:
    lines = Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(kilobytes) / 1024


def test_bundles_that_are_loaded_and_dropped_leave_no_memory_behind(
    small_bundle: Path, tmp_path: Path, start_service: Callable[..., ServiceProcess]
) -> None:
    bundle = bundles.load(small_bundle)
    ids: list[str] = []
    for number in range(VARIANTS):
        model = replace(bundle.model, similar_from=bundle.model.similar_from - number / 100)
        ids.append(bundles.save(replace(bundle, model=model), tmp_path / "bundles" / str(number)))
    service = start_service(bundle=tmp_path / "bundles" / "0", store_timeout=10)
    with service.channel() as channel:
        models, shop = ModelServiceStub(channel), Storefront(channel)
        resident = []
        for number in range(WARM_UP_LOADS + LOADS):
            models.LoadBundle(models_pb2.LoadBundleRequest(bundle_id=ids[1 + number % (VARIANTS - 1)]), timeout=60)
            shop.recommend(f"user {number}")
            resident.append(resident_mb(service))
        [process] = models.ListBundles(models_pb2.ListBundlesRequest(), timeout=10).processes
        assert len(process.loaded_bundle_ids) <= 2
    assert resident[-1] - resident[WARM_UP_LOADS - 1] <= LOADS_MB, [round(mb) for mb in resident]


def test_an_item_that_is_described_again_and_again_leaves_no_memory_behind(
    start_service: Callable[..., ServiceProcess],
) -> None:
    service = start_service(store_timeout=10)
    with service.channel() as channel:
        shop, resident = Storefront(channel), []
        for number in range(WARM_UP_CHANGES + CHANGES):
            shop.add("one", f"Kettle {number} {chr(97 + number % 26) * 6}", categories="Kitchen > Kettles")
            shop.recommend(f"user {number}")  # users who are kept keep no items of their time
            resident.append(resident_mb(service))
    growth = resident[-1] - resident[WARM_UP_CHANGES - 1]
    assert growth <= CHANGES_MB, [round(mb) for mb in resident[::50]]
