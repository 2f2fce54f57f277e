"""Random days in a shop: what is done goes to the real servers and to the model, and then both must agree."""

import time
from collections.abc import Callable, Iterable
from itertools import chain
from typing import ClassVar

import grpc
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from recsvc.v1 import catalog_pb2, recommendation_pb2, users_pb2
from tests.stateful import allowed
from tests.stateful.bundles import TABLE_DAYS_AGO
from tests.stateful.known_faults import KNOWN_FAULTS
from tests.stateful.running_shop import SERVERS, RunningShop, days_before_now, event, stamp
from tests.stateful.shop_model import Act, Product, Shopper, ShopModel

# A change is to be seen at the other server within a second. A busy machine gets more, and fails no test.
PATIENCE_SECONDS = 4.0
NAMES = ("Ann", "Bob")
LETTERS = "ABCDEF"
OTHER_BRAND = "Zephyr Works"
NEW_TITLES = ("Quartz Lantern", "Velvet Compass", "Walnut Abacus")
PROFILES = ("I love hiking boots and a tent", "I cook soup and bake bread", "")
FAST_SECONDS = 3.0  # ahead, the clock of the second server
MANY_PAGES = 260  # more than a history has room for
LONG_AGO = 150  # days; before the second bundle's table was read, after the first's

servers = st.sampled_from(SERVERS)
names = st.sampled_from(NAMES)
letters = st.sampled_from(LETTERS)


def known(fault: str) -> bool:
    """Whether a fault is in the service today: then the test does without what shows it."""
    return fault in KNOWN_FAULTS


class ShopMachine(RuleBasedStateMachine):
    """One day in the shop. `open_shop` and the tables are set by the test."""

    open_shop: ClassVar[Callable[[], RunningShop]]
    close_shop: ClassVar[Callable[[bool], None]]
    tables: ClassVar[list[dict]]
    brand: ClassVar[str]
    days: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).days += 1
        self.shop = type(self).open_shop()
        self.model = ShopModel(self.tables, TABLE_DAYS_AGO)
        self.story: list[str] = []
        of_brand = sorted(item_id for item_id, item in self.tables[0].items() if item.brand == self.brand)
        self.items = dict(zip(LETTERS, of_brand, strict=False))
        self.elsewhere = sorted(set(self.tables[0]) - set(of_brand))
        self.place = 0
        self.dirty = False  # whether the shop cannot be made as it was
        self.upheavals = 0  # they take seconds
        self.lagging: set[str] = set()  # who did something that the replica does not know
        self.last = self._shopper("Ann")

    # Of the story.

    def says(self, words: str) -> None:
        self.story.append(words)

    def fail(self, complaints: Iterable[str]) -> None:
        self.dirty = True
        steps = "\n".join(f"  {number}. {words}" for number, words in enumerate(self.story, 1))
        wrong = "\n".join(f"  - {complaint}" for complaint in complaints)
        pytrace = "What was done:\n" + steps + "\nWhat is wrong:\n" + wrong
        raise AssertionError("\n" + pytrace)

    def agree(self, complaints_of: Callable[[int], Iterable[str]]) -> None:
        """Asks both servers until neither gives a reason to complain; fails if one still does after a while."""
        for server in SERVERS:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while wrong := self._complaints(server, complaints_of):
                if time.monotonic() > deadline:
                    self.fail(f"server {server}: {complaint}" for complaint in wrong[:5])
                time.sleep(0.05)

    def _complaints(self, server: int, complaints_of: Callable[[int], Iterable[str]]) -> list[str]:
        try:
            return list(complaints_of(server))
        except grpc.RpcError as error:
            return [f"it answers {error.code().name}: {error.details()}"]
