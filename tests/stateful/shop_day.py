"""One day in the shop: the running service, the model beside it, and the story of what was done."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from typing import ClassVar, NoReturn, Protocol

import grpc
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from recsvc.domain.shop import Item
from recsvc.v1 import catalog_pb2
from tests.stateful.bundles import TABLE_DAYS_AGO
from tests.stateful.running_shop import FAST_SERVER, SERVERS, RunningShop
from tests.stateful.shop_model import Act, ShopModel, Shopper

# A change is to be seen at the other server within a second. A busy machine gets more, so that it fails no test.
PATIENCE_SECONDS = 3.0
LETTERS = "ABCD"  # the items of the day

servers = st.sampled_from(SERVERS)
names = st.sampled_from(("Ann", "Ann", "Ann", "Bob"))  # what one shopper does has most to do with each other
letters = st.sampled_from(LETTERS)


class Shops(Protocol):
    """Lends running shops."""

    def open(self) -> RunningShop:
        """Returns a running shop, as it was on its first day."""

    def close(self, shop: RunningShop, spoilt: bool) -> None:
        """Takes it back. spoilt: it cannot be made as it was."""


class ShopDay(RuleBasedStateMachine):
    """What all rules share. The test sets the class variables.

    Attributes:
        shops: Lends the running shop of the day.
        tables: The items of each bundle.
        brand: Whose items the day is about.
        days: How many days there were, so that each has shoppers of its own.
    """

    shops: ClassVar[Shops]
    tables: ClassVar[list[dict[str, Item]]]
    brand: ClassVar[str]
    days: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        ShopDay.days += 1
        self.story: list[str] = []
        self.shop = self.shops.open()
        self.shop.refused = lambda problem: self.fail([problem])
        self.model = ShopModel(self.tables, TABLE_DAYS_AGO)
        of_brand = sorted(item_id for item_id, item in self.tables[0].items() if item.brand == self.brand)
        self.items = dict(zip(LETTERS, of_brand, strict=False))
        self.elsewhere = sorted(set(self.tables[0]) - set(of_brand))
        self.looked_after = 0  # steps of the story
        self.placed = 0
        self.upheavals = 0  # each takes seconds
        self.lagging: set[str] = set()  # names of shoppers of whom the replica does not know all
        self.renewed = 0
        self.name = "Ann"  # whose lists are looked at
        self.for_good = True  # until the day has begun well
        for item_id in self.items.values():
            product = self.model.product(item_id)
            product.price = self.tables[0][item_id].price
        self.shop.set_inventory(
            FAST_SERVER,
            *(catalog_pb2.Inventory(item_id=i, price=self.model.products[i].price) for i in self.items.values()),
        )
        self.for_good = False

    def teardown(self) -> None:
        """Makes the shop as it was, for the next day."""
        changed = {i: self.tables[0][i] for i in self.model.changed if i in self.tables[0]}
        spoilt = self.for_good
        try:
            if not spoilt:
                spoilt = True
                self.shop.make_as_it_was(changed, sorted(self.model.changed - set(changed)))
                spoilt = not self._is_as_it_was()
        finally:
            self.shops.close(self.shop, spoilt)

    def _is_as_it_was(self) -> bool:
        """Whether both servers soon list the items of the brand at the prices of the first table."""
        limit = 120.0
        of_brand = {i: item for i, item in self.tables[0].items() if item.brand == self.brand}
        cheap = {i for i, item in of_brand.items() if item.price is not None and item.price <= limit}
        stranger = f"stranger-{ShopDay.days}"

        def is_right(server: int) -> bool:
            listed = set(self.shop.listed(server, stranger, self.brand))
            return (
                listed == set(of_brand)
                and set(self.shop.listed(server, stranger, self.brand, max_price=limit)) == cheap
            )

        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(self.shop.at_once(is_right)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    # The story.

    def tells(self, words: str) -> None:
        """Adds a step."""
        self.story.append(words)

    def fail(self, complaints: Iterable[str]) -> NoReturn:
        steps = "\n".join(f"  {number}. {words}" for number, words in enumerate(self.story, 1))
        wrong = "\n".join(f"  - {self.with_letters(complaint)}" for complaint in complaints)
        raise AssertionError(f"\nWhat was done:\n{steps}\nWhat is wrong:\n{wrong}")

    def with_letters(self, words: str) -> str:
        for letter, item_id in self.items.items():
            words = words.replace(item_id, f"{letter} ({item_id})")
        return words

    def agree(self, complaints_of: Callable[[int], Iterable[str]], patience: float = 0.0) -> None:
        """Asks both servers until neither gives a reason to complain; fails if one still does after a while."""
        deadline = time.monotonic() + (patience or PATIENCE_SECONDS)
        while wrong := [*chain.from_iterable(self.shop.at_once(partial(_complaints, complaints_of)))]:
            if time.monotonic() > deadline:
                self.fail(wrong[:5])
            time.sleep(0.05)

    # The shoppers.

    def shopper(self, name: str) -> Shopper:
        """A shopper; a new one at their first visit."""
        if name not in self.model.shoppers:
            self.renewed += 1
            self.model.shoppers[name] = Shopper(f"{name}-{ShopDay.days}-{self.renewed}".lower())
        return self.model.shoppers[name]

    def acting(self, name: str) -> Shopper:
        """A shopper who does something now, and whose lists are looked at next."""
        self.name = name
        if self.shop.redis.behind:
            self.lagging.add(name)
        return self.shopper(name)

    def act(self, name: str, kind: str, item_id: str, days_ago: int = 0, pieces: int = 1) -> Act:
        """Notes what a shopper does."""
        self.placed += 1
        act = Act(kind, item_id, days_ago, self.placed, pieces)
        self.acting(name).acts.append(act)
        return act

    def lose_shoppers(self, lost: Iterable[str]) -> None:
        """Redis has forgotten what these shoppers did last: others take their places."""
        for name in lost:
            self.model.shoppers.pop(name, None)
        self.lagging = set()


def _complaints(complaints_of: Callable[[int], Iterable[str]], server: int) -> list[str]:
    try:
        return [f"server {server}: {complaint}" for complaint in complaints_of(server)]
    except grpc.RpcError as error:
        return [f"server {server} answers {error.code().name}: {error.details()}"]
