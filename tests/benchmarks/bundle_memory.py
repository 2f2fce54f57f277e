"""Measures the memory of a serving process, for the bench shop and the shops tiled from it. Only on Linux."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from recsvc.model import bundle_files
from tests.benchmarks import servers
from tests.benchmarks.shop import BenchShop
from tests.service_process import ServiceProcess

USERS = 300
START_SECONDS = 900  # of a service with ten million items, on a busy machine
_KIB = 1024


def bundles(bundle: Path, folder: Path) -> list[Path]:
    """The bundle of the bench shop, and those that are tiled from it in the folder of the benchmarks."""
    tiled = (path.parent for path in (folder / "tiled").glob(f"{bundle.name}-*/manifest.json"))
    return [bundle, *sorted(tiled)]


def measure(shop: BenchShop, bundle: Path, show: Callable[[str], None]) -> dict[str, float]:
    """Runs a service, asks it for lists of users with histories, and reads its memory.

    Returns:
        items; own_bytes: memory that only this process can use, such as heaps and changed pages; mapped_bytes: pages of
        files in memory, which all processes that serve the bundle share.
    """
    items = len(bundle_files.load(bundle).catalogue)
    show(f"memory of a process with {items:,} items")
    users = random.Random(0).sample(sorted(set(shop.events["user_id"])), USERS)
    with tempfile.TemporaryDirectory(prefix="recsvc-memory-") as folder:
        service = ServiceProcess(
            bundle, Path(folder), warm=False, start_seconds=START_SECONDS, search_threads=1, store_timeout=10.0
        )
        try:
            servers.fill(service, *shop.of_users(users))
            servers.lists(service, users)
            own, resident = _own_and_resident(service.process.pid)
            service.stop()
        finally:
            service.kill()
    return {"items": items, "own_bytes": own, "mapped_bytes": resident - own}


def _own_and_resident(pid: int) -> tuple[int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    sizes = {name: int(size.split()[0]) * _KIB for name, size in (line.split(":") for line in lines)}
    return sizes["Anonymous"], sizes["Rss"]
