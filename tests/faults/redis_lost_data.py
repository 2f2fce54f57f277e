"""Redis loses data: it evicts keys, comes back empty, or goes back to an older copy of its data.

Sold-out items and erased users are what a shop may not show again, whatever Redis has forgotten.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc

from recsvc.v1 import catalog_pb2, events_pb2, models_pb2, models_pb2_grpc, recommendation_pb2, users_pb2
from tests.faults.load import SteadyLoad, Stubs
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess
from tests.serving_bundle import ITEMS

SOLD_OUT = [f"i{number:05d}" for number in range(ITEMS // 2)]
ERASED_USERS = [f"erased {number}" for number in range(10)]
KEPT_USERS = [f"kept {number}" for number in range(10)]
LISTED = 50
EVENTS_A_USER = 5
# Bytes that Redis may hold beyond what it had, when it evicts.
ROOM_BYTES = 300_000
FILLING_EVENTS = 10_000
FILLING_BATCH = 500
TOLD_DEADLINE_SECONDS = 30.0
# A service says one of these when it knows.
TOLD_EVENTS = {"redis_lost_data", "redis_may_evict"}

Lose = Callable[[Site, Sequence[Storefront]], None]
"""Makes Redis lose data. It returns when the fault is there: when Redis is back, or may evict."""


_SOLD_OUT_SET = frozenset(SOLD_OUT)


class _Watch:
    """Asks for long lists, and counts what should not be in them."""

    def __init__(self) -> None:
        self.sold_out = self.erased = 0

    async def look(self, stubs: Stubs, number: int) -> str:
        """A long list for a user who is erased, or for one who is not, in turn."""
        erased = number % 2 == 0
        users = ERASED_USERS if erased else KEPT_USERS
        request = recommendation_pb2.RecommendRequest(user_id=users[number // 2 % len(users)], k=LISTED)
        request.reason_options.disabled = True
        answer = await stubs.recommendations.Recommend(request, timeout=5)
        self.sold_out += sum(item.item_id in _SOLD_OUT_SET for item in answer.recommendations)
        self.erased += erased and answer.personalised
        return "OK" if answer.recommendations else "EMPTY"


def measure(bundle: Path, seconds: float = 10.0, lists_per_second: float = 40.0) -> Figures:
    """Makes Redis lose data in three ways, each in a shop of its own.

    Args:
        bundle: Folder of the bundle that is served.
        seconds: How long lists are watched after the fault.
        lists_per_second: Rate of Recommend.
    """
    ways = {"evicting": _evict, "emptied": _empty, "gone back": _go_back}
    by_way = {name: _measure_way(bundle, way, seconds, lists_per_second) for name, way in ways.items()}
    names = (
        "sold_out_shown",
        "erased_shown",
        "sold_out_shown_by_new",
        "erased_shown_by_new",
        "lists_failed",
        "unforeseen",
    )
    return {
        **{name: sum(int(str(figures[name])) for figures in by_way.values()) for name in names},
        "lists": sum(int(str(figures["lists"])) for figures in by_way.values()),
        "longest_until_told_seconds": max(float(str(figures["told_seconds"])) for figures in by_way.values()),
        "ways": by_way,
    }


def _measure_way(bundle: Path, lose: Lose, seconds: float, lists_per_second: float) -> Figures:
    watch = _Watch()
    with Site(bundle, fsync="always") as site:
        services = site.start_two(store_timeout=1)
        channels = [service.channel() for service in services]
        shops = [Storefront(channel) for channel in channels]
        for user_id in (*ERASED_USERS, *KEPT_USERS):
            shops[0].buy(user_id, *SOLD_OUT[:EVENTS_A_USER])
        shutil.copytree(site.redis.folder, site.folder / "old")
        _change(shops)
        with SteadyLoad([service.address for service in services], {"list": (watch.look, lists_per_second)}) as load:
            load.wait_for("list", 20)
            assert not watch.sold_out, "a sold-out item is shown before the fault"
            assert not watch.erased, "an erased user is known before the fault"
            lose(site, shops)
            told_seconds = _seconds_until_told(services)
            new = site.start(store_timeout=1)
            with SteadyLoad([new.address], {"list": ((by_new := _Watch()).look, lists_per_second)}) as load_of_new:
                if lose is _evict:
                    _fill(shops[0])
                time.sleep(seconds)
            # What was evicted meanwhile is missing for a process that starts only now.
            with SteadyLoad([site.start(store_timeout=1).address], {"list": (by_new.look, lists_per_second)}):
                time.sleep(min(seconds, 2.0))
            problems = _store_problems(channels[0])
            evicted = site.redis.client.info("stats")["evicted_keys"]
        for channel in channels:
            channel.close()
        return {
            "told_seconds": round(told_seconds, 2),
            "store_problems": problems,
            "evicted_keys": evicted,
            "sold_out_shown": watch.sold_out,
            "erased_shown": watch.erased,
            "sold_out_shown_by_new": by_new.sold_out,
            "erased_shown_by_new": by_new.erased,
            "lists": len(load.of("list")) + len(load_of_new.of("list")),
            "lists_failed": load.failed("list") + load_of_new.failed("list"),
            "unforeseen": sum(map(unforeseen, site.services)),
        }


def _change(shops: Sequence[Storefront]) -> None:
    """Half of the items are sold out, and some users are erased. Returns when both services know."""
    stock = [catalog_pb2.Inventory(item_id=item_id, stock=0) for item_id in SOLD_OUT]
    shops[0].catalog.SetInventory(catalog_pb2.SetInventoryRequest(inventory=stock), timeout=20)
    for user_id in ERASED_USERS:
        shops[0].users.DeleteUser(users_pb2.DeleteUserRequest(user_id=user_id), timeout=20)

    def known() -> bool:
        lists = [shop.recommend(user_id, LISTED, reasons=False) for shop in shops for user_id in ERASED_USERS]
        return not any(answer.personalised or _SOLD_OUT_SET & set(item_ids(answer)) for answer in lists)

    eventually(known)


def _evict(site: Site, shops: Sequence[Storefront]) -> None:
    client = site.redis.client
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", str(client.info("memory")["used_memory"] + ROOM_BYTES))


def _fill(shop: Storefront) -> None:
    """Writes events of new users until Redis has evicted many keys."""
    for start in range(0, FILLING_EVENTS, FILLING_BATCH):
        events = [
            events_pb2.Event(
                event_id=f"f{number}",
                user_id=f"w{number // 10}",
                item_id=f"i{number % ITEMS:05d}",
                event_type=events_pb2.EVENT_TYPE_PURCHASE,
                order_id="o" * 60,
            )
            for number in range(start, start + FILLING_BATCH)
        ]
        try:
            shop.events.WriteEvents(events_pb2.WriteEventsRequest(events=events), timeout=10)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error  # noqa: PT017 - refused is fine, broken is not


def _empty(site: Site, shops: Sequence[Storefront]) -> None:
    site.redis.come_back_with(None)


def _go_back(site: Site, shops: Sequence[Storefront]) -> None:
    site.redis.come_back_with(site.folder / "old")


def _seconds_until_told(services: Sequence[ServiceProcess]) -> float:
    began = time.monotonic()
    while not all(TOLD_EVENTS & {str(line.get("event")) for line in service.log} for service in services):
        if time.monotonic() - began > TOLD_DEADLINE_SECONDS:
            break
        time.sleep(0.01)
    return time.monotonic() - began


def _store_problems(channel: grpc.Channel) -> list[str]:
    answer = models_pb2_grpc.ModelServiceStub(channel).ListBundles(models_pb2.ListBundlesRequest(), timeout=10)
    return sorted({problem for process in answer.processes for problem in process.store_problems})


ROW = Row(
    measure,
    at_most={
        "sold_out_shown": 0,
        "erased_shown": 0,
        "sold_out_shown_by_new": 0,
        "erased_shown_by_new": 0,
        "lists_failed": 0,
        "longest_until_told_seconds": 1,
        "unforeseen": 0,
    },
    at_least={"lists": 1},
)

if __name__ == "__main__":
    ROW.main()
