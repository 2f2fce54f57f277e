"""Two real server processes, a real Redis with a replica, and what the shop and its shoppers tell them."""

import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import grpc
import pytest

from recsvc.domain.shop import Item
from recsvc.v1 import catalog_pb2, events_pb2, models_pb2, models_pb2_grpc, recommendation_pb2, users_pb2
from tests.integration.clients import Storefront, item_ids, timestamp
from tests.service_process import ServiceProcess
from tests.stateful.redis_pair import RedisPair
from tests.stateful.shop_model import Product

SERVERS = (0, 1)
FAST_SERVER = 1  # its clock may be ahead
# A caller sends again what was refused as UNAVAILABLE, for as long.
RESEND_SECONDS = 10.0
LOAD_SECONDS = 20.0
_DAY = 86_400_000_000
_EVENT_TYPES = {
    "buys": events_pb2.EVENT_TYPE_PURCHASE,
    "sends back": events_pb2.EVENT_TYPE_RETURN,
    "hides": events_pb2.EVENT_TYPE_HIDE,
    "looks at": events_pb2.EVENT_TYPE_VIEW,
}

Answer = TypeVar("Answer")


class RunningShop:
    """What the model is compared with. Calls take the number of the server that is asked.

    Args:
        bundles: Folders of the bundles; the servers start with the first.
        fast_seconds: How far the clock of `FAST_SERVER` is ahead.

    Attributes:
        refused: Is called with a problem: a call that is right was refused, or as UNAVAILABLE for too long. Raises.
    """

    def __init__(self, bundles: Sequence[Path], fast_seconds: float) -> None:
        self._bundles = bundles
        self._fast_seconds = fast_seconds
        self._folder = Path(tempfile.mkdtemp(prefix="recsvc-shop-"))  # the path of a socket has at most 107 bytes
        self.redis = RedisPair(self._folder, len(SERVERS))
        self.refused: Callable[[str], NoReturn] = pytest.fail
        self._clicks_before = 0.0  # of processes that have ended
        with ThreadPoolExecutor(len(SERVERS)) as starting:
            self._processes = list(starting.map(self._start, SERVERS))
        self._asking = ThreadPoolExecutor(len(SERVERS))
        self._channels: list[grpc.Channel] = []
        self._storefronts: list[Storefront] = []
        for process in self._processes:
            self._channels.append(process.channel())
            self._storefronts.append(Storefront(self._channels[-1]))

    def _start(self, server: int) -> ServiceProcess:
        return ServiceProcess(
            self._bundles[0],
            self._folder / f"data-{server}",
            self.redis.url(server),
            clock_ahead_seconds=self._fast_seconds if server == FAST_SERVER else 0.0,
            store_timeout=3,  # a busy machine is not taken for Redis being away
        )

    def restart(self, server: int, *, kill: bool) -> None:
        self._clicks_before += self._clicks_of(server)
        self._channels[server].close()
        if kill:
            self._processes[server].kill()
        else:
            assert self._processes[server].stop() == 0
        self._processes[server] = self._start(server)
        self._channels[server] = self._processes[server].channel()
        self._storefronts[server] = Storefront(self._channels[server])

    def close(self) -> None:
        self._asking.shutdown()
        for channel in self._channels:
            channel.close()
        for process in self._processes:
            process.kill()
        self.redis.close()
        shutil.rmtree(self._folder)

    def at(self, server: int) -> Storefront:
        return self._storefronts[server]

    def at_once(self, ask: Callable[[int], Answer]) -> list[Answer]:
        """Asks both servers at the same time."""
        return list(self._asking.map(ask, SERVERS))

    def tell(self, server: int, call: Callable[[], Answer]) -> Answer:
        """Makes a call, and makes it again while it is refused as UNAVAILABLE, as the contract says."""
        deadline = time.monotonic() + RESEND_SECONDS
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                    self.refused(f"server {server} refuses a call: {error.code().name}: {error.details()}")
            time.sleep(0.05)

    def make_as_it_was(self, changed: Mapping[str, Item], added: Sequence[str]) -> None:
        """Gives changed items their first words, price and stock, and deletes added ones; sales are forgotten."""
        if self.redis.behind:
            self.redis.follow_again()
        if changed:
            inventory = [catalog_pb2.Inventory(item_id=i, price=item.price, stock=9) for i, item in changed.items()]
            self.set_inventory(FAST_SERVER, *inventory)
            self.describe(FAST_SERVER, {item_id: Product.of(item) for item_id, item in changed.items()})
        if added:
            self.delete(FAST_SERVER, *added)
        self.activate(0, 0)
        counts = list(self.redis.master.client.scan_iter("{recsvc:popularity}:*"))
        if counts:
            self.redis.master.client.delete(*counts)

    # What the staff says.

    def set_inventory(self, server: int, *entries: catalog_pb2.Inventory) -> None:
        request = catalog_pb2.SetInventoryRequest(inventory=entries)
        self.tell(server, lambda: self.at(server).catalog.SetInventory(request, timeout=20))

    def describe(self, server: int, products: dict[str, Product]) -> None:
        items = [
            catalog_pb2.CatalogItem(
                item_id=item_id,
                title=product.title,
                brand=product.brand,
                categories=" > ".join(product.categories),
                attributes=[
                    catalog_pb2.ItemAttribute(name=name, value=value) for name, value in sorted(product.attributes)
                ],
            )
            for item_id, product in products.items()
        ]
        request = catalog_pb2.UpsertItemsRequest(items=items)
        self.tell(server, lambda: self.at(server).catalog.UpsertItems(request, timeout=20))

    def delete(self, server: int, *ids: str, restore: bool = False) -> None:
        self.tell(server, lambda: self.at(server).delete(*ids, restore=restore))

    def activate(self, server: int, bundle: int) -> None:
        request = models_pb2.ActivateBundleRequest(bundle_id=self._bundles[bundle].name)
        models = models_pb2_grpc.ModelServiceStub(self._channels[server])
        self.tell(server, lambda: models.ActivateBundle(request, timeout=60))
        # The other server loads it, which takes longer than the second in which it notices.
        deadline = time.monotonic() + LOAD_SECONDS
        while {self.recommend(each, "nobody", 1).bundle_id for each in SERVERS} != {request.bundle_id}:
            if time.monotonic() > deadline:
                self.refused(f"after {LOAD_SECONDS} s a server still answers with another bundle")
            time.sleep(0.05)

    # What shoppers do and say.

    def write(self, server: int, *events: events_pb2.Event) -> None:
        request = events_pb2.WriteEventsRequest(events=events)
        self.tell(server, lambda: self.at(server).events.WriteEvents(request, timeout=20))

    def set_profile(self, server: int, user_id: str, text: str) -> None:
        request = users_pb2.SetProfileRequest(user_id=user_id, profile=users_pb2.Profile(text=text))
        self.tell(server, lambda: self.at(server).users.SetProfile(request, timeout=20))

    def state_taste(self, server: int, user_id: str, **changes: users_pb2.Taste) -> None:
        request = users_pb2.UpdateTasteProfileRequest(user_id=user_id, **changes)
        self.tell(server, lambda: self.at(server).users.UpdateTasteProfile(request, timeout=20))

    def forget(self, server: int, user_id: str) -> None:
        request = users_pb2.DeleteUserRequest(user_id=user_id)
        self.tell(server, lambda: self.at(server).users.DeleteUser(request, timeout=20))

    # What they are shown.

    def recommend(self, server: int, user_id: str, k: int, **fields: Any) -> recommendation_pb2.RecommendResponse:
        return self.at(server).recommend(user_id, k, **fields)

    def listed(self, server: int, user_id: str, brand: str, surface: int = 0, **limits: Any) -> list[str]:
        """A list of everything of a brand that may be listed."""
        limit = recommendation_pb2.Filter(brands=[brand], **limits)
        return item_ids(self.recommend(server, user_id, 100, reasons=False, filter=limit, surface=surface))

    def popular(self, server: int, user_id: str, brand: str) -> list[str]:
        return self.listed(server, user_id, brand, surface=recommendation_pb2.SURFACE_POPULAR)

    def taste(self, server: int, user_id: str) -> users_pb2.GetTasteProfileResponse:
        request = users_pb2.GetTasteProfileRequest(user_id=user_id)
        return self.tell(server, lambda: self.at(server).users.GetTasteProfile(request, timeout=20))

    def clicks(self) -> float:
        """Views that name a list, as the metrics of all processes count them."""
        return self._clicks_before + sum(map(self._clicks_of, SERVERS))

    def _clicks_of(self, server: int) -> float:
        address = f"http://127.0.0.1:{self._processes[server].metrics_port}/metrics"
        with urllib.request.urlopen(address, timeout=10) as page:
            lines = page.read().decode().splitlines()
        counts = [line for line in lines if line.startswith("recsvc_attributed_events_total{") and '"view"' in line]
        return sum(float(line.rpartition(" ")[2]) for line in counts)


def event(user_id: str, kind: str, item_id: str, event_id: str, **fields: Any) -> events_pb2.Event:
    return events_pb2.Event(
        event_id=event_id,
        user_id=user_id,
        item_id=item_id,
        event_type=_EVENT_TYPES[kind],
        **fields,  # type: ignore[arg-type]
    )


def days_before_now(days: float, microseconds: int = 0) -> datetime:
    return datetime.now(UTC) - timedelta(days=days, microseconds=-microseconds)


def stamp(moment: datetime):
    return timestamp(int(moment.timestamp() * 1_000_000))
