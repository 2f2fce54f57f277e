"""What many people do, and what one visitor does many times."""

import time

from hypothesis.stateful import precondition, rule

from tests.stateful.running_shop import event
from tests.stateful.shop_day import ShopDay, letters, servers

CROWD = 12
VIEWS = 240
COUNTED_SECONDS = 0.1  # sales are counted a moment later
# A server reads the counts every five seconds.
PATIENCE_SECONDS = 9.0


class CrowdRules(ShopDay):
    """Sales: one crowd a day."""

    def _bought_by_a_crowd(self, item_id: str) -> list:
        return [event(f"crowd-{ShopDay.days}-{n}", "buys", item_id, f"crowd-{ShopDay.days}-{n}") for n in range(CROWD)]

    @precondition(lambda self: not self.for_good)
    @rule(server=servers, bought=letters, looked_at=letters)
    def a_crowd_buys_and_one_visitor_looks(self, server: int, bought: str, looked_at: str) -> None:
        if bought == looked_at:
            return
        self.tells(f"{CROWD} people buy {bought}, and one visitor looks at {looked_at} {VIEWS} times (server {server})")
        bot = f"bot-{ShopDay.days}"
        views = [event(bot, "looks at", self.items[looked_at], f"{bot}-{n}") for n in range(VIEWS)]
        self.shop.write(server, *self._bought_by_a_crowd(self.items[bought]), *views)
        self._sells_better(bought, looked_at)

    @precondition(lambda self: not self.for_good)
    @rule(server=servers, bought=letters, sent_back=letters)
    def a_crowd_buys_and_a_larger_one_sends_back(self, server: int, bought: str, sent_back: str) -> None:
        if bought == sent_back:
            return
        self.tells(f"{CROWD} people buy {bought}, and {2 * CROWD} buy {sent_back} and send it back (server {server})")
        events = self._bought_by_a_crowd(self.items[bought])
        for number in range(2 * CROWD):
            person = f"returner-{ShopDay.days}-{number}"
            events += [
                event(person, kind, self.items[sent_back], f"{person}/{kind}") for kind in ("buys", "sends back")
            ]
        self.shop.write(server, *events)
        self._sells_better(bought, sent_back)

    def _sells_better(self, good: str, bad: str) -> None:
        """What more people bought and kept comes first in POPULAR."""
        self.for_good = True  # the counts stay
        time.sleep(COUNTED_SECONDS)

        def complaints(server: int) -> list[str]:
            listed = self.shop.popular(server, f"stranger-{ShopDay.days}", self.brand)
            first, second = self.items[good], self.items[bad]
            if first in listed and second in listed and listed.index(second) < listed.index(first):
                return [f"SURFACE_POPULAR has {bad} before {good}"]
            return []

        self.agree(complaints, PATIENCE_SECONDS)
