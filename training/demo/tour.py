"""The tour of `make demo`: each step says what happens, does it over gRPC, and shows what came back."""

import asyncio
import time
from functools import cached_property

from rich.console import Console
from rich.text import Text

from recsvc.domain.shop import Item, Profile
from training.backfill import backfill
from training.data.shop import Shop
from training.demo.client import Answered, Storefront
from training.demo.shoppers import Shopper, choose_shoppers, something_else
from training.demo.steps import Steps
from training.demo.tables import (
    bought_table,
    change_table,
    list_table,
    profile_words,
    similar_table,
    surfaces_table,
)

BACKFILLED_USERS = 200  # enough for a tour; `make serve` sends all
SHOWN = 5
NEWCOMER = "demo-newcomer"
STRANGER = "demo-stranger"
NEWCOMER_PROFILE = Profile(
    attributes=(
        ("about", "Bakes bread at home and keeps a sourdough starter, and shares the sofa with two tabby cats."),
        ("city", "York"),
    )
)


class Tour:
    """Shops at a running service. Every step raises grpc.RpcError when the service refuses."""

    def __init__(self, storefront: Storefront, shop: Shop, console: Console) -> None:
        self._storefront = storefront
        self._shop = shop
        self._console = console
        self._shoppers = choose_shoppers(shop, BACKFILLED_USERS)
        self._buyer = min(self._shoppers, key=lambda shopper: len(shopper.purchases))

    def run(self, target: str, steps: Steps) -> None:
        """All steps in order. Raises BackfillError as well."""
        with steps.step("The service is told what the shop knows"):
            self._tell(target)
        with steps.step("What people get, and why"):
            for shopper in self._shoppers:
                self._show(shopper)
        with steps.step("A purchase changes the very next list"):
            self._buy()
        with steps.step("Someone new, of whom only a profile is known"):
            self._storefront.set_profile(NEWCOMER, NEWCOMER_PROFILE)
            self._console.print(profile_words(NEWCOMER_PROFILE))
            self._show_list(NEWCOMER)
        with steps.step("Someone new, of whom nothing is known"):
            self._console.print("What is popular ranks the list, and the answer says so: personalised is false.")
            self._show_list(STRANGER)
        with steps.step("Items like the one just bought"):
            self._console.print(Text(f"{self._novelty.title}\n", style="bold"))
            self._console.print(similar_table(self._storefront.similar(self._novelty.item_id, SHOWN), self._items))
        with steps.step("The other surfaces of a shop"):
            self._show_surfaces()
        with steps.step("The right to be forgotten"):
            self._forget()

    @property
    def _items(self) -> dict[str, Item]:
        return self._storefront.items

    @cached_property
    def _novelty(self) -> Item:
        return something_else(self._shop, self._buyer, self._items)

    def _tell(self, target: str) -> None:
        for user_id in (NEWCOMER, STRANGER, *(shopper.user_id for shopper in self._shoppers)):
            self._storefront.erase(user_id)  # what an earlier tour left
        sent = asyncio.run(backfill(self._shop, target, BACKFILLED_USERS, console=self._console))
        self._console.print(
            f"{sent.profiles:,} profiles and {sent.events:,} past events of {BACKFILLED_USERS} users went in over "
            "gRPC, as from any storefront.",
            highlight=False,
        )

    def _show(self, shopper: Shopper) -> None:
        self._console.print(f"\n[bold reverse] {shopper.kind} [/] {shopper.user_id}\n", highlight=False)
        self._console.print(profile_words(shopper.profile))
        self._console.print()
        self._console.print(bought_table(shopper.purchases, self._items))
        only_new = not shopper.buys_again
        self._console.print(f"\nAsked for {'what they have not bought yet' if only_new else 'anything'}:")
        for language in ("en", "zh"):
            self._show_list(shopper.user_id, language, only_new)

    def _show_list(self, user_id: str, language: str = "en", only_new: bool = False) -> None:
        answer = self._storefront.recommend(user_id, SHOWN, language, only_new)
        self._console.print()
        self._console.print(list_table(answer, self._items, language))
        self._console.print(f"[dim]ranked and explained in {answer.milliseconds:.1f} ms[/]", highlight=False)
        self._mention_degraded(answer)

    def _buy(self) -> None:
        user_id = self._buyer.user_id
        before = self._storefront.recommend(user_id, SHOWN, only_new=True)
        started = time.perf_counter()
        self._storefront.buy(user_id, self._novelty)
        written = 1000 * (time.perf_counter() - started)
        after = self._storefront.recommend(user_id, SHOWN, only_new=True)
        self._console.print(
            Text.assemble(f"{user_id} buys something quite different: ", (self._novelty.title, "bold"), "\n")
        )
        self._console.print(change_table(before, after, self._items))
        what = "changed list" if before.item_ids != after.item_ids else "next list, which is the same,"
        self._console.print(
            f"\nThe write was answered in {written:.1f} ms; the {what} was there {after.milliseconds:.1f} ms later.",
            highlight=False,
        )
        self._mention_degraded(after)

    def _show_surfaces(self) -> None:
        bought, other = self._novelty, self._items[self._shoppers[0].purchases["item_id"][-1]]
        regular = self._shoppers[0].user_id
        lists = (
            ("goes with this cart", bought.title, "CART", {"cart_item_ids": [bought.item_id]}),
            ("like this page", other.title, "SIMILAR", {"viewed_item_ids": [other.item_id]}),
            ("a search", " ".join(bought.title.split()[-2:]), "SEARCH", {"query": " ".join(bought.title.split()[-2:])}),
            ("buy again", regular, "BUY_AGAIN", {}),
            ("popular", "in all the shop", "POPULAR", {}),
        )
        found = [
            (what, of, self._storefront.listed(regular, SHOWN, surface, **context))
            for what, of, surface, context in lists
        ]
        self._console.print(surfaces_table(found, self._items))
        self._console.print(
            "[dim]Each is Recommend with a surface; filters, pages, placements, an item's audience and why an item is "
            "not in a list are in the README.[/]"
        )

    def _forget(self) -> None:
        erased = self._storefront.erase(self._buyer.user_id)
        personalised = self._storefront.recommend(self._buyer.user_id, SHOWN).response.personalised
        self._console.print(
            f"{self._buyer.user_id} is erased: history, profile, vectors, {erased.removed_log_events} logged events. "
            f"Is the next list still personalised? {'Yes' if personalised else 'No'}.",
            highlight=False,
        )

    def _mention_degraded(self, answer: Answered) -> None:
        if answer.degraded:
            self._console.print(f"[red]The service had to do without something: {', '.join(answer.degraded)}[/]")
