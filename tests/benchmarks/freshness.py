"""How soon what is told to one replica holds on another: two replicas of the shop that `make bench` made, one Redis.

python -m tests.benchmarks.freshness
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import grpc
import numpy as np
from rich.console import Console
from rich.table import Table

from recsvc.v1 import recommendation_pb2
from tests.benchmarks.serving import FOLDER
from tests.benchmarks.shop import prepared_shop
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, item_ids
from tests.service_process import ServiceProcess

EVENTS, ITEMS = 200, 20


def measure(one: Storefront, two: Storefront) -> dict[str, list[float]]:
    """Seconds. `one` is told, and `two` is asked until it knows."""
    seconds: dict[str, list[float]] = {"event, from its acknowledgement": [], "stock": [], "new item": []}
    best = item_ids(two.recommend("somebody", 100))
    for number in range(EVENTS):
        told = one.buy(f"user-{number}", best[number % 100])
        start = time.perf_counter()
        answer = two.recommend(f"user-{number}", min_freshness=told.freshness[f"user-{number}"])
        seconds["event, from its acknowledgement"].append(time.perf_counter() - start)
        assert answer.personalised
        assert not answer.degraded
    for number in range(ITEMS):
        start = time.perf_counter()
        one.set_inventory(best[number], stock=0)
        seconds["stock"].append(_until(lambda n=number: best[n] not in item_ids(two.recommend("somebody")), start))
        start = time.perf_counter()
        one.add(f"new-{number}", f"A copper kettle, number {number}")
        seconds["new item"].append(_until(lambda n=number: _knows(two, f"new-{n}"), start))
    return seconds


def _until(holds: Callable[[], bool], start: float) -> float:
    while not holds():
        time.sleep(0.002)
    return time.perf_counter() - start


def _knows(shop: Storefront, item_id: str) -> bool:
    request = recommendation_pb2.SimilarItemsRequest(item_id=item_id, k=1)
    try:
        shop.recommendations.SimilarItems(request, timeout=20)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:  # type: ignore[attr-defined]
            raise
        return False
    return True


def main() -> None:
    console = Console()
    bundle = prepared_shop(FOLDER, console).bundle
    with tempfile.TemporaryDirectory(prefix="recsvc-bench-") as folder, ExitStack() as stack:
        redis = RedisServer(Path(folder))
        redis.start()
        stack.callback(redis.kill)
        shops = []
        for number in range(2):
            service = ServiceProcess(bundle, Path(folder) / str(number), redis.url, warm=False)
            stack.callback(service.stop)
            shops.append(Storefront(stack.enter_context(service.channel())))
        for shop in shops:  # what is slow the first time
            shop.recommend("somebody")
        table = Table("told to one replica, known to the other", "p50 ms", "p99 ms", "most ms", "of")
        for what, found in measure(*shops).items():
            figures = [f"{1e3 * value:.0f}" for value in (*np.percentile(found, (50, 99)), max(found))]
            table.add_row(what, *figures, str(len(found)))
        console.print(table)


if __name__ == "__main__":
    main()
