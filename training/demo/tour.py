"""The tour of `make demo`. Each step says what it does, does it over gRPC, and shows the answer."""

import asyncio
import time
from functools import cached_property, partial

from rich.console import Console
from rich.text import Text

from recsvc.domain.shop import Item, Profile
from training.backfill import backfill
from training.data.shop import Shop
from training.demo.client import Client, TimedList
from training.demo.searches import ENGLISH, show_searches
from training.demo.shoppers import Shopper, best_seller_elsewhere, choose_shoppers
from training.demo.steps import Steps
from training.demo.tables import (
    bought_table,
    change_table,
    list_table,
    profile_words,
    similar_table,
    surfaces_table,
)

BACKFILLED_USERS = 200  # enough for the tour; `make serve` sends all users
LIST_LENGTH = 5
PROFILE_ONLY = "demo-profile-only"
UNKNOWN = "demo-unknown"
NEW_PROFILE = Profile(
    attributes=(
        ("about", "Bakes bread at home and keeps a sourdough starter, and shares the sofa with two tabby cats."),
        ("city", "York"),
    )
)


class Tour:
    """Shows the tour on a running service. Every step raises grpc.RpcError if the service refuses a call."""

    def __init__(self, client: Client, shop: Shop, console: Console) -> None:
        self._client = client
        self._shop = shop
        self._console = console
        self._shoppers = choose_shoppers(shop, BACKFILLED_USERS)
        self._buyer = min(self._shoppers, key=lambda shopper: len(shopper.purchases))

    def run(self, target: str, steps: Steps) -> None:
        """Runs all steps in order. Raises BackfillError if the past events cannot be sent."""
        with steps.step("Send the shop's past data to the service"):
            self._backfill(target)
        with steps.step("Recommendations for three customers, with reasons"):
            for shopper in self._shoppers:
                self._show(shopper)
        with steps.step("A purchase changes the next list"):
            self._buy()
        with steps.step("A new user with nothing but a profile"):
            self._client.set_profile(PROFILE_ONLY, NEW_PROFILE)
            self._console.print(profile_words(NEW_PROFILE))
            self._show_list(PROFILE_ONLY)
        with steps.step("A user about whom nothing is known"):
            self._console.print("The list is ranked by popularity. The response says so: personalised is false.")
            self._show_list(UNKNOWN)
        with steps.step("Items similar to the one just bought"):
            self._console.print(Text(f"{self._new_purchase.title}\n", style="bold"))
            self._console.print(
                similar_table(self._client.similar(self._new_purchase.item_id, LIST_LENGTH), self._items)
            )
        with steps.step("Other lists of a shop"):
            self._show_surfaces()
        with steps.step("Search in a shopper's own words"):
            self._console.print("A shopper who does not know the shop's words still finds its items.\n")
            show_searches(self._client, ENGLISH, self._console)
        with steps.step("Delete a user's data"):
            self._erase()

    @property
    def _items(self) -> dict[str, Item]:
        return self._client.items

    @cached_property
    def _new_purchase(self) -> Item:
        return best_seller_elsewhere(self._shop, self._buyer, self._items)

    def _backfill(self, target: str) -> None:
        for user_id in (PROFILE_ONLY, UNKNOWN, *(shopper.user_id for shopper in self._shoppers)):
            self._client.erase(user_id)  # left by an earlier tour
        sent = asyncio.run(backfill(self._shop, target, BACKFILLED_USERS, console=self._console))
        self._console.print(
            f"Sent {sent.profiles:,} profiles and {sent.events:,} past events of {BACKFILLED_USERS} users over gRPC, "
            "as any shop would.",
            highlight=False,
        )

    def _show(self, shopper: Shopper) -> None:
        self._console.print(f"\n[bold reverse] {shopper.kind} [/] {shopper.user_id}\n", highlight=False)
        self._console.print(profile_words(shopper.profile))
        self._console.print()
        self._console.print(bought_table(shopper.purchases, self._items))
        only_new = not shopper.buys_again
        bought_items = "without" if only_new else "with"
        self._console.print(f"\nRecommended, {bought_items} items bought before, in English and in Chinese:")
        for language in ("en", "zh"):
            self._show_list(shopper.user_id, language, only_new=only_new)

    def _show_list(self, user_id: str, language: str = "en", *, only_new: bool = False) -> None:
        answer = self._client.recommend(user_id, LIST_LENGTH, language, only_new=only_new)
        self._console.print()
        self._console.print(list_table(answer, self._items, language))
        self._console.print(f"[dim]ranked, with reasons, in {answer.milliseconds:.1f} ms[/]", highlight=False)
        self._mention_degraded(answer)

    def _buy(self) -> None:
        user_id = self._buyer.user_id
        before = self._client.recommend(user_id, LIST_LENGTH, only_new=True)
        started = time.perf_counter()
        self._client.buy(user_id, self._new_purchase)
        write_ms = 1000 * (time.perf_counter() - started)
        after = self._client.recommend(user_id, LIST_LENGTH, only_new=True)
        self._console.print(
            Text.assemble(f"{user_id} buys something from a new department: ", (self._new_purchase.title, "bold"), "\n")
        )
        self._console.print(change_table(before, after, self._items))
        change = "changed" if before.item_ids != after.item_ids else "did not change"
        list_ms = after.milliseconds
        self._console.print(
            f"\nStoring the purchase took {write_ms:.1f} ms. The next list {change}; it took {list_ms:.1f} ms.",
            highlight=False,
        )
        self._mention_degraded(after)

    def _show_surfaces(self) -> None:
        bought, other = self._new_purchase, self._items[self._shoppers[0].purchases["item_id"][-1]]
        regular = self._shoppers[0].user_id
        query = " ".join(bought.title.split()[-2:])
        list_of = partial(self._client.list_of, user_id=regular, k=LIST_LENGTH)
        lists = [
            ("goes with the cart", bought.title, list_of("CART", cart_item_ids=[bought.item_id])),
            ("similar to a product", other.title, list_of("SIMILAR", viewed_item_ids=[other.item_id])),
            ("search", query, list_of("SEARCH", query=query)),
            ("buy again", regular, list_of("BUY_AGAIN")),
            ("popular", "everybody", list_of("POPULAR")),
        ]
        self._console.print(surfaces_table(lists, self._items))
        self._console.print(
            "[dim]Each list is a call of Recommend with another surface. See the README for filters, pages and "
            "placements, the audience of an item, and why an item is not in a list.[/]"
        )

    def _erase(self) -> None:
        erased = self._client.erase(self._buyer.user_id)
        personalised = self._client.recommend(self._buyer.user_id, LIST_LENGTH).response.personalised
        self._console.print(
            f"Deleted {self._buyer.user_id}: history, profile, vectors and {erased.removed_log_events} logged events. "
            f"Is the next list still personalised? {'Yes' if personalised else 'No'}.",
            highlight=False,
        )

    def _mention_degraded(self, answer: TimedList) -> None:
        if answer.degraded:
            self._console.print(f"[red]The service answered without some of its parts: {', '.join(answer.degraded)}[/]")
