"""Random days in a shop. Every list, reason and taste profile is compared with what the model allows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from recsvc.v1 import recommendation_pb2 as pb
from tests.stateful import allowed
from tests.stateful.bundles import largest_brand, make_bundles, table_of
from tests.stateful.crowd_rules import CrowdRules
from tests.stateful.running_shop import RunningShop
from tests.stateful.shop_day import ShopDay
from tests.stateful.shopper_rules import ShopperRules
from tests.stateful.staff_rules import StaffRules
from tests.stateful.upheaval_rules import UpheavalRules

FAST_SECONDS = 30.0  # by which the clock of one server is ahead
PRICE_LIMIT = 120.0
LOOK_AFTER_STEPS = 3
DAYS, STEPS = 4, 12
SEEDS, LONG_DAYS, LONG_STEPS = 20, 50, 40


class Shop(ShopperRules, StaffRules, CrowdRules, UpheavalRules):
    """Whatever happens, this holds at both servers, for the shopper who acted last and for a stranger."""

    @invariant()
    def all_that_is_shown_is_allowed(self) -> None:
        """Looks after every third step, and at the end of the day."""
        if len(self.story) - self.looked_after >= LOOK_AFTER_STEPS:
            self.look()

    def look(self) -> None:
        self.looked_after = len(self.story)
        self.no_list_has_what_is_not_for_sale_and_every_reason_is_true()
        self.without_repeats_a_brand_is_listed_but_for_what_the_shopper_knows()
        self.a_limit_of_prices_uses_the_last_word()
        self.buy_again_has_what_was_bought_and_kept()
        self.the_taste_profile_is_what_was_said_and_bought()

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and len(self.story) > self.looked_after:
                self.look()
        finally:
            super().teardown()

    def no_list_has_what_is_not_for_sale_and_every_reason_is_true(self) -> None:
        shopper = self.shopper(self.name)

        def complaints(server: int) -> Iterator[str]:
            answer = self.shop.recommend(server, shopper.user_id, 12)
            yield from allowed.not_for_sale(self.model, shopper, [r.item_id for r in answer.recommendations])
            yield from allowed.reasons(self.model, shopper, answer)
            yield from allowed.personal(self.model, shopper, answer)

        self.agree(complaints)

    def without_repeats_a_brand_is_listed_but_for_what_the_shopper_knows(self) -> None:
        shopper = self.shopper(self.name)

        def complaints(server: int) -> Iterator[str]:
            never = pb.REPEAT_POLICY_EXCLUDE
            listed = self.shop.listed(server, shopper.user_id, self.brand, repeat_policy=never)
            yield from allowed.not_for_sale(self.model, shopper, listed)
            yield from allowed.without_repeats(self.model, shopper, self.brand, listed)

        self.agree(complaints)

    def a_limit_of_prices_uses_the_last_word(self) -> None:
        def complaints(server: int) -> Iterator[str]:
            listed = self.shop.listed(server, f"stranger-{self.days}", self.brand, max_price=PRICE_LIMIT)
            yield from allowed.below_a_price(self.model, self.brand, PRICE_LIMIT, listed)

        self.agree(complaints)

    def buy_again_has_what_was_bought_and_kept(self) -> None:
        shopper = self.shopper(self.name)

        def complaints(server: int) -> Iterator[str]:
            answer = self.shop.recommend(server, shopper.user_id, 100, surface=pb.SURFACE_BUY_AGAIN)
            listed = [recommendation.item_id for recommendation in answer.recommendations]
            yield from allowed.not_for_sale(self.model, shopper, listed)
            yield from allowed.buy_again(self.model, shopper, listed)
            yield from allowed.reasons(self.model, shopper, answer)

        self.agree(complaints)

    def the_taste_profile_is_what_was_said_and_bought(self) -> None:
        shopper = self.shopper(self.name)
        self.agree(lambda server: allowed.taste(self.model, shopper, self.shop.taste(server, shopper.user_id)))


class OpenShops:
    """Keeps one running shop for all days, and opens another when it cannot be made as it was."""

    def __init__(self, bundles: list[Path]) -> None:
        self._bundles = bundles
        self._kept: RunningShop | None = None

    def open(self) -> RunningShop:
        if self._kept is None:
            self._kept = RunningShop(self._bundles, FAST_SECONDS)
        return self._kept

    def close(self, shop: RunningShop, spoilt: bool) -> None:
        if spoilt:
            self._kept = None
            shop.close()

    def end(self) -> None:
        if self._kept is not None:
            self._kept.close()


@pytest.fixture(scope="module")
def shops(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShops]:
    bundles = make_bundles(small_bundle, tmp_path_factory.mktemp("two-bundles"))
    shops = OpenShops(bundles)
    ShopDay.shops = shops
    ShopDay.tables = [table_of(bundle) for bundle in bundles]
    ShopDay.brand = largest_brand(ShopDay.tables[0])
    yield shops
    shops.end()


def days(number: int, steps: int) -> settings:
    return settings(
        max_examples=number,
        stateful_step_count=steps,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),  # the story is the explanation
        suppress_health_check=list(HealthCheck),
    )


def test_random_days_are_as_the_model_allows(shops: OpenShops) -> None:
    run_state_machine_as_test(Shop, settings=days(DAYS, STEPS))


@pytest.mark.stateful
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_long_random_days_are_as_the_model_allows(shops: OpenShops, seed: int) -> None:
    seeded = hypothesis.seed(seed)(type(f"Shop{seed}", (Shop,), {}))
    run_state_machine_as_test(seeded, settings=settings(days(LONG_DAYS, LONG_STEPS), derandomize=False))
