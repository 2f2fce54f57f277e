"""The tour of `make demo`, step by step: each says what happens, shows it, and how long it took."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from recsvc.domain import Profile
from training.backfill import backfill
from training.data import Shop
from training.demo.shoppers import Shopper, choose_shoppers, something_else
from training.demo.storefront import Answered, Storefront, open_storefront
from training.demo.tables import bought_table, change_table, list_table, profile_words, similar_table

BACKFILLED_USERS = 200  # enough for a tour; `make serve` sends all
SHOWN = 5
NEWCOMER = "demo-newcomer"
STRANGER = "demo-stranger"
NEWCOMER_PROFILE = Profile(
    "I have just moved to a flat with a small balcony. Every weekend I bake bread, and I share the sofa with a cat.",
    (("hobby", "growing tomatoes in pots"),),
)


class Steps:
    """Numbered headings with the time of each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.perf_counter()
        self._console.print()
        self._console.rule(f"[bold]{len(self.seconds) + 1}. {title}", align="left")
        yield
        self.seconds[title] = time.perf_counter() - started
        self._console.print(f"[dim]{self.seconds[title]:.1f} s[/]", justify="right", highlight=False)


def tour(target: str, shop: Shop, steps: Steps, console: Console) -> None:
    """Shops at a running service. Raises BackfillError and grpc.RpcError."""
    shoppers = choose_shoppers(shop, BACKFILLED_USERS)
    with open_storefront(target, shop) as storefront:
        with steps.step("The service is told what the shop knows"):
            for user_id in (NEWCOMER, STRANGER, *(shopper.user_id for shopper in shoppers)):
                storefront.erase(user_id)  # what an earlier tour left
            sent = asyncio.run(backfill(shop, target, BACKFILLED_USERS, console=console))
            console.print(
                f"Of {BACKFILLED_USERS} users it sent {sent.profiles:,} profiles and {sent.events:,} past events over gRPC, "
                "as any storefront would.",
                highlight=False,
            )
        with steps.step("What people get, and why"):
            for shopper in shoppers:
                _show(shopper, storefront, console)
        buyer = next((shopper for shopper in shoppers if len(shopper.purchases) < 5), shoppers[0])
        item = something_else(shop, buyer, storefront.items)
        with steps.step("A purchase changes the very next list"):
            before = storefront.recommend(buyer.user_id, SHOWN)
            started = time.perf_counter()
            storefront.buy(buyer.user_id, item)
            bought = time.perf_counter()
            after = storefront.recommend(buyer.user_id, SHOWN)
            written, answered = 1000 * (bought - started), 1000 * (time.perf_counter() - bought)
            console.print(Text.assemble(f"{buyer.user_id} buys something quite different: ", (item.title, "bold")))
            console.print(change_table(before, after, storefront.items))
            what = "changed list" if before.item_ids != after.item_ids else "list, which is still the same,"
            console.print(
                f"The write took {written:.1f} ms. The {what} was there {answered:.1f} ms after it.", highlight=False
            )
        with steps.step("Someone new, of whom only a profile is known"):
            storefront.set_profile(NEWCOMER, NEWCOMER_PROFILE)
            console.print(profile_words(NEWCOMER_PROFILE))
            _show_list(storefront.recommend(NEWCOMER, SHOWN), storefront, console, "en")
        with steps.step("Someone new, of whom nothing is known"):
            answer = storefront.recommend(STRANGER, SHOWN)
            console.print(f"Personalised: {answer.response.personalised}. What is popular ranks the list.")
            _show_list(answer, storefront, console, "en")
        with steps.step("Items like the one just bought"):
            console.print(Text(item.title, style="bold"))
            console.print(similar_table(storefront.similar(item.item_id, SHOWN), storefront.items))
        with steps.step("The right to be forgotten"):
            erased = storefront.erase(buyer.user_id)
            left = storefront.recommend(buyer.user_id, SHOWN).response.personalised
            console.print(
                f"{buyer.user_id} is erased: history, profile, vectors, and {erased.removed_log_events} logged events. "
                f"Is the next list personalised? {'Yes' if left else 'No'}."
            )


def _show(shopper: Shopper, storefront: Storefront, console: Console) -> None:
    console.print(f"\n[bold reverse] {shopper.kind} [/] {shopper.user_id}", highlight=False)
    console.print(profile_words(shopper.profile))
    console.print(bought_table(shopper.purchases, storefront.items))
    for language in ("en", "zh"):
        _show_list(storefront.recommend(shopper.user_id, SHOWN, language), storefront, console, language)


def _show_list(answer: Answered, storefront: Storefront, console: Console, language: str) -> None:
    console.print(list_table(answer, storefront.items, language))
    for degraded in answer.response.degraded:
        console.print(f"[red]degraded: {degraded}[/]")
