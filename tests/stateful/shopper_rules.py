"""What shoppers do and say."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from recsvc.v1 import users_pb2
from tests.stateful.running_shop import days_before_now, event, stamp
from tests.stateful.shop_day import ShopDay, letters, names, servers
from tests.stateful.shop_model import Shopper

WHEN_BOUGHT = ((0,), (1,), (30,), (60, 40, 20))  # days ago
PAGES = 260  # more than a history has room for
PROFILES = ("I love hiking boots and a tent", "I cook soup and bake bread")
SUBJECTS = ("profile", "profile", "brand", "gift", "me")  # what a shopper speaks of; "me" is to be forgotten
AHEAD_DAYS = -13 / 24  # a local time that was taken for UTC


class ShopperRules(ShopDay):
    """Events, profiles, tastes and erasures."""

    def _does(self, server: int, name: str, kind: str, letter: str, days_ago: int = 0, pieces: int = 1) -> None:
        when = f" {days_ago} days ago" if days_ago else ""
        self.tells(f"{name} {kind} {letter}{when} ({pieces} pieces), as server {server} is told")
        act = self.act(name, kind, self.items[letter], days_ago, pieces)
        fields = {"timestamp": stamp(days_before_now(days_ago, act.place))} if days_ago else {}
        if kind in ("buys", "sends back"):
            fields["quantity"] = float(pieces)
        user_id = self.shopper(name).user_id
        self.shop.write(server, event(user_id, kind, act.item_id, f"{user_id}/{act.place}", **fields))

    # Few rules with many variants: of many rules hypothesis leaves most out of a day.
    @rule(
        server=servers,
        name=names,
        kind=st.sampled_from(("buys", "buys", "sends back", "hides", "looks at")),
        letter=letters,
        when=st.sampled_from(WHEN_BOUGHT),
        pieces=st.integers(1, 2),
    )
    def does(self, server: int, name: str, kind: str, letter: str, when: tuple[int, ...], pieces: int) -> None:
        kept = [known_as for known_as, item_id in self.items.items() if item_id in self.shopper(name).kept_purchases()]
        if kind == "sends back" and not kept:
            kind = "buys"
        if kind == "buys":
            for days_ago in when:
                self._does(server, name, kind, letter, days_ago, pieces)
        elif kind == "sends back":
            self._does(server, name, kind, letter if letter in kept else kept[0], 0, pieces)
        else:
            self._does(server, name, kind, letter)

    @rule(server=servers, name=names, letter=letters)
    def hides_what_was_bought_by_a_clock_ahead(self, server: int, name: str, letter: str) -> None:
        self.tells(f"{name} buys {letter}, dated 13 hours ahead, as server {server} is told")
        act = self.act(name, "buys", self.items[letter])
        user_id = self.shopper(name).user_id
        ahead = stamp(days_before_now(AHEAD_DAYS))
        self.shop.write(server, event(user_id, "buys", act.item_id, f"{user_id}/{act.place}", timestamp=ahead))
        self._does(server, name, "hides", letter)

    @rule(server=servers, name=names)
    def looks_at_many_pages(self, server: int, name: str) -> None:
        self.tells(f"{name} looks at {PAGES} pages of other brands, as server {server} is told")
        acts = [self.act(name, "looks at", item_id) for item_id in self.elsewhere[:PAGES]]
        user_id = self.shopper(name).user_id
        views = [event(user_id, "looks at", act.item_id, f"{user_id}/{act.place}") for act in acts]
        self.shop.write(server, *views)

    @rule(name=names, order=st.lists(servers, min_size=1, max_size=3), letter=letters)
    def clicks_in_a_list(self, name: str, order: list[int], letter: str) -> None:
        """The same event is sent to each server of `order`."""
        self.tells(f"{name} clicks on {letter} in a list, as the servers {order} are told, under one event id")
        act = self.act(name, "looks at", self.items[letter])
        user_id = self.shopper(name).user_id
        list_id = self.shop.recommend(order[0], user_id, 1, reasons=False).recommendation_id
        click = event(user_id, "looks at", act.item_id, f"{user_id}/{act.place}", recommendation_id=list_id)
        before = self.shop.clicks()
        for server in order:
            self.shop.write(server, click)
        counted = self.shop.clicks() - before
        if counted != 1:
            self.fail([f"one click was sent {len(order)} times, and is counted {counted:g} times"])

    @rule(server=servers, name=names, subject=st.sampled_from(SUBJECTS), more=st.booleans(), letter=letters)
    def says(self, server: int, name: str, subject: str, more: bool, letter: str) -> None:
        if subject == "profile":
            self._sets_profile(server, name, PROFILES[letter in "AB"] if more else "")
        elif subject == "brand":
            self._wants_less(server, name, less=more)
        elif subject == "gift":
            self._calls_it_a_gift(server, name, letter, gift=more)
        elif more:
            self._asks_to_be_forgotten(server, name)

    def _sets_profile(self, server: int, name: str, text: str) -> None:
        self.tells(
            f"{name} sets the profile {text!r} at server {server}"
            if text
            else f"{name}'s profile is removed at server {server}"
        )
        self.acting(name).profile = text
        self.shop.set_profile(server, self.shopper(name).user_id, text)

    def _wants_less(self, server: int, name: str, *, less: bool) -> None:
        self.tells(f"{name} {'wants' if less else 'no longer wants'} less of {self.brand} at server {server}")
        shopper = self.acting(name)
        shopper.less_brands = {self.brand} if less else set()
        taste = users_pb2.Taste(less_brands=[self.brand])
        self.shop.state_taste(server, shopper.user_id, **{"add" if less else "remove": taste})

    def _calls_it_a_gift(self, server: int, name: str, letter: str, *, gift: bool) -> None:
        self.tells(f"{name} says that {letter} {'was' if gift else 'was not'} a gift, to server {server}")
        shopper = self.acting(name)
        (shopper.gifts.add if gift else shopper.gifts.discard)(self.items[letter])
        taste = users_pb2.Taste(gift_item_ids=[self.items[letter]])
        self.shop.state_taste(server, shopper.user_id, **{"add" if gift else "remove": taste})

    def _asks_to_be_forgotten(self, server: int, name: str) -> None:
        self.tells(f"{name} asks server {server} to be forgotten")
        user_id = self.shopper(name).user_id
        self.shop.forget(server, user_id)
        self.name = name
        # An erasure outlasts a failover, so the replica knows enough of this shopper: nothing.
        self.model.shoppers[name] = Shopper(user_id)
        self.lagging.discard(name)
