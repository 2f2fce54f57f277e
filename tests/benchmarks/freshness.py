"""Measures how soon a change sent to one replica is visible on another. Both serve the shop of `make bench`.

python -m tests.benchmarks.freshness
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
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
    """Seconds until `two` shows a change that was sent to `one`, by kind of change."""
    seconds: dict[str, list[float]] = {"event, from its acknowledgement": [], "stock": [], "new item": []}
    best = item_ids(two.recommend("somebody", 100))
    for number in range(EVENTS):
        written = one.buy(f"user-{number}", best[number % 100])
        start = time.perf_counter()
        answer = two.recommend(f"user-{number}", min_freshness=written.freshness[f"user-{number}"])
        seconds["event, from its acknowledgement"].append(time.perf_counter() - start)
        assert answer.personalised
        assert not answer.degraded
    for number in range(ITEMS):
        start = time.perf_counter()
        one.set_inventory(best[number], stock=0)
        seconds["stock"].append(_seconds_until(partial(_is_sold_out, two, best[number]), start))
        start = time.perf_counter()
        one.add(f"new-{number}", f"A copper kettle, number {number}")
        seconds["new item"].append(_seconds_until(partial(_has_item, two, f"new-{number}"), start))
    return seconds


def _seconds_until(holds: Callable[[], bool], start: float) -> float:
    while not holds():
        time.sleep(0.002)
    return time.perf_counter() - start


def _is_sold_out(shop: Storefront, item_id: str) -> bool:
    return item_id not in item_ids(shop.recommend("somebody"))


def _has_item(shop: Storefront, item_id: str) -> bool:
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
            service = ServiceProcess(bundle, Path(folder) / str(number), redis.url)
            stack.callback(service.stop)
            shops.append(Storefront(stack.enter_context(service.channel())))
        for shop in shops:  # the first call is slow
            shop.recommend("somebody")
        table = Table("sent to one replica, visible on the other", "p50 ms", "p99 ms", "max ms", "changes")
        for change, seconds in measure(*shops).items():
            figures = [f"{1e3 * value:.0f}" for value in (*np.percentile(seconds, (50, 99)), max(seconds))]
            table.add_row(change, *figures, str(len(seconds)))
        console.print(table)


if __name__ == "__main__":
    main()
