"""The synthetic shop: the same for a seed, in contract, and with its true structure visible in the events."""

import datetime as dt
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from training.synthetic.__main__ import main
from training.synthetic.demand import CLOSES, OPENS
from training.synthetic.shop import SyntheticShop, make_shop, write_shop
from training.synthetic.words import read_vocabulary

FRAMES = ("events", "items", "users")


@pytest.fixture(scope="module")
def shop() -> SyntheticShop:
    return make_shop(2_000, 3_000, seed=7)


@pytest.fixture(scope="module")
def numbered(shop: SyntheticShop) -> pl.DataFrame:
    """The events with the positions that `truth` counts by."""
    return (
        shop.events.join(shop.users.select("user_id").with_row_index("user"), on="user_id", maintain_order="left")
        .join(shop.items.select("item_id").with_row_index("item"), on="item_id", maintain_order="left")
        .with_columns(category=pl.lit(pl.Series(shop.truth.item_category)).gather(pl.col("item")))
    )


@pytest.fixture(scope="module")
def purchases(numbered: pl.DataFrame) -> pl.DataFrame:
    return numbered.filter(event_type="purchase")


def product_type(shop: SyntheticShop) -> pl.DataFrame:
    return shop.items.select("item_id", product_type=pl.col("categories").str.split(" > ").list.last())


# The same shop again


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_seed_makes_one_shop(language):
    first, second = (make_shop(300, 400, seed=5, language=language) for _ in range(2))
    for name in FRAMES:
        assert_frame_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.truth.user_tastes, second.truth.user_tastes)


def test_another_seed_makes_another_shop():
    first, second = make_shop(300, 400, seed=5), make_shop(300, 400, seed=6)
    for name in FRAMES:
        assert not getattr(first, name).equals(getattr(second, name))


def test_history_ends_on_a_fixed_day(shop):
    assert shop.events["timestamp"].min() >= OPENS
    assert shop.events["timestamp"].max() < CLOSES
    assert (CLOSES - shop.events["timestamp"].max()).days == 0
    assert 17 * 30 < (CLOSES - OPENS).days < 18 * 31


# The input contract


def test_tables_have_the_contract_columns(shop):
    assert shop.events.schema == pl.Schema(
        {
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
            "event_type": pl.String,
            "quantity": pl.Int32,
            "price": pl.Float64,
            "order_id": pl.String,
        }
    )
    assert shop.items.columns == ["item_id", "title", "categories", "brand", "price", "currency", "attributes"]
    assert shop.users.columns == ["user_id", "about", "age", "city"]
    assert shop.items["item_id"][42] == "i00042"
    assert shop.users["user_id"][17] == "u00017"


def test_events_are_in_time_order_and_refer_to_the_tables(shop, numbered):
    assert shop.events["timestamp"].is_sorted()
    assert len(numbered) == len(shop.events)
    assert set(shop.events["event_type"]) == {"purchase", "view", "add_to_cart", "return"}
    money = shop.events.filter(pl.col("event_type").is_in(["purchase", "return"]))
    assert money.select("quantity", "price").null_count().sum_horizontal().item() == 0
    assert money["quantity"].min() >= 1
    assert money["price"].min() > 0


def test_an_order_has_one_user_and_one_time_and_often_several_lines(purchases):
    orders = purchases.group_by("order_id").agg(
        pl.col("user_id").n_unique(), pl.col("timestamp").n_unique(), lines=pl.len()
    )
    assert orders.select(pl.col("user_id", "timestamp").max()).row(0) == (1, 1)
    assert (orders["lines"] > 1).mean() > 0.1
    assert purchases["quantity"].max() > 1


def test_most_returns_follow_their_purchase(shop):
    sold = shop.events.filter(event_type="purchase").select("order_id", "item_id", sold_at="timestamp")
    returns = shop.events.filter(event_type="return").join(sold, on=["order_id", "item_id"], how="left")
    orphans = returns["sold_at"].null_count()
    assert 0 < orphans < 0.1 * len(returns)
    assert (
        returns.filter(pl.col("sold_at").is_not_null()).select((pl.col("timestamp") > pl.col("sold_at")).all()).item()
    )


def test_views_and_carts_come_before_many_purchases(numbered, purchases):
    for kind, share in (("view", 0.4), ("add_to_cart", 0.25)):
        looks = numbered.filter(event_type=kind).select("user", "item", seen="timestamp")
        before = purchases.join(looks, on=["user", "item"]).filter(pl.col("seen") < pl.col("timestamp"))
        assert before.select("user", "item").n_unique() > share * purchases.select("user", "item").n_unique()


# The truth is in the data


def test_purchases_follow_the_tastes(shop, purchases):
    counts = np.zeros_like(shop.truth.user_tastes)
    np.add.at(counts, (purchases["user"].to_numpy(), purchases["category"].to_numpy()), 1)
    active = counts.sum(axis=1) >= 10
    assert active.sum() > 500
    shares = counts[active] / counts[active].sum(axis=1, keepdims=True)
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(shares, shop.truth.user_tastes[active], strict=True)]
    assert np.mean(correlations) > 0.8
    np.testing.assert_allclose(shop.truth.user_tastes.sum(axis=1), 1.0)


def test_item_category_names_the_category_path(shop):
    names = shop.items["categories"].str.split(" > ").list.get(1).to_list()
    assert names == [shop.truth.category_names[c] for c in shop.truth.item_category]


def test_users_mostly_buy_their_favourite_brands(shop, purchases):
    """The brand a user took first in a category is theirs later more often than it is other people's."""
    taken = purchases.unique(["user", "item"], keep="first", maintain_order=True).join(
        shop.items.select("item_id", "brand"), on="item_id", maintain_order="left"
    )
    brand_share = (
        taken.group_by("category", "brand")
        .len()
        .with_columns(expected=pl.col("len") / pl.col("len").sum().over("category"))
    )
    taken = taken.with_columns(first_brand=pl.col("brand").first().over("user", "category"))
    later = taken.filter(pl.int_range(pl.len()).over("user", "category") > 0).join(
        brand_share, left_on=["category", "first_brand"], right_on=["category", "brand"]
    )
    again = (later["brand"] == later["first_brand"]).mean()
    assert again > 1.1 * later["expected"].mean()


def test_consumables_are_bought_again_after_their_interval(shop, purchases):
    gaps = (
        purchases.sort("user", "item", "timestamp")
        .with_columns(gap=pl.col("timestamp").diff().over("user", "item").dt.total_seconds() / 86_400)
        .drop_nulls("gap")
        .group_by("item")
        .agg(pl.col("gap").median(), n=pl.len())
    )
    interval = shop.truth.consumable_interval_days
    # Nothing but consumables is bought again.
    assert not np.isnan(interval[gaps["item"].to_numpy()]).any()
    often = gaps.filter(pl.col("n") >= 15)
    assert len(often) > 100
    np.testing.assert_allclose(often["gap"].to_numpy(), interval[often["item"].to_numpy()], rtol=0.15, atol=1.0)
    assert 0.25 < gaps["n"].sum() / len(purchases) < 0.7


@pytest.mark.parametrize("name", ["Knitwear", "Grow Your Own", "Outdoor Living", "Board Games", "Camping"])
def test_seasonal_categories_peak_in_their_months(purchases, name):
    categories = read_vocabulary("en").categories
    [(code, category)] = [(c, category) for c, category in enumerate(categories) if category.name == name]
    # The first purchase only: repeats come when things run out, in any season. The last twelve months: each month once.
    first = purchases.filter(category=code).unique(["user", "item"], keep="first", maintain_order=True)
    months = first.filter(pl.col("timestamp").dt.date() >= CLOSES.date().replace(year=2024))["timestamp"].dt.month()
    assert len(months) > 100
    in_peak = months.is_in(category.peak).sum() / len(category.peak)
    off_peak = (~months.is_in(category.peak)).sum() / (12 - len(category.peak))
    assert in_peak > 1.8 * off_peak


def test_few_items_make_most_of_the_sales(shop, purchases):
    counts = np.sort(np.bincount(purchases["item"].to_numpy(), minlength=len(shop.items)))[::-1]
    assert counts[: len(counts) // 10].sum() > 0.4 * counts.sum()


def test_the_best_sellers_change_over_time(purchases):
    """Among items for sale throughout, recent purchases tell more of the last months than those of the opening."""
    day = (pl.col("timestamp") - OPENS).dt.total_days()
    first_time = purchases.unique(["user", "item"], keep="first", maintain_order=True)
    throughout = first_time.filter(day < 60)["item"].unique().to_numpy()
    opening, recent, last = (
        np.log1p(np.bincount(first_time.filter(day.is_between(low, low + 119))["item"], minlength=2_000)[throughout])
        for low in (0, 300, 420)
    )
    assert np.corrcoef(recent, last)[0, 1] > np.corrcoef(opening, last)[0, 1] + 0.05


def test_accessories_are_bought_with_their_main_product(shop, purchases):
    orders = purchases.join(product_type(shop), on="item_id").group_by("order_id").agg(pl.col("product_type").unique())
    types = orders.filter(pl.col("product_type").list.len() > 1)["product_type"].to_list()
    kinds = {kind.name: kind for category in read_vocabulary("en").categories for kind in category.types}
    pairs = [(a, b) for order in types for a in order for b in order if a != b and kinds[a].accessories]
    siblings = {kind.name: category for category in read_vocabulary("en").categories for kind in category.types}
    goes_with = sum(b in kinds[a].accessories for a, b in pairs)
    beside = sum(siblings[a] is siblings[b] and b not in kinds[a].accessories for a, b in pairs)
    n_accessories = np.mean([len(kind.accessories) for kind in kinds.values() if kind.accessories])
    n_beside = np.mean([len(siblings[k].types) - 1 - len(kind.accessories) for k, kind in kinds.items()])
    assert goes_with / n_accessories > 2 * beside / n_beside


def test_cold_items_have_no_events_before_the_last_month(shop, numbered):
    cold = shop.truth.cold_items
    assert cold.mean() == pytest.approx(0.05, abs=0.002)
    events = numbered.filter(pl.lit(pl.Series(cold)).gather(pl.col("item")))
    assert events["timestamp"].min() >= CLOSES - dt.timedelta(days=30)
    untouched = np.setdiff1d(np.flatnonzero(cold), numbered["item"].to_numpy())
    assert 0 < events["item"].n_unique() < cold.sum()
    assert len(untouched) >= cold.sum() // 2


def test_cold_users_have_a_profile_and_no_events(shop, numbered, purchases):
    cold = np.flatnonzero(shop.truth.cold_users)
    assert len(cold) == 150
    assert not np.isin(cold, numbered["user"].to_numpy()).any()
    assert shop.users["about"].gather(cold).null_count() == 0
    warm = np.flatnonzero(~shop.truth.cold_users)
    assert np.isin(warm, purchases["user"].to_numpy()).all()


def test_most_users_have_a_profile_with_their_interests(shop):
    assert 0.75 < shop.users["about"].is_not_null().mean() < 0.85
    assert shop.users.filter(pl.col("about").is_null()).select("age", "city").drop_nulls().is_empty()
    categories = read_vocabulary("en").categories
    for about, tastes in zip(shop.users["about"][:300], shop.truth.user_tastes, strict=False):
        if about is not None:
            told = {c for c, category in enumerate(categories) for a in category.about if a[1:] in about}
            assert set(np.flatnonzero(tastes > 0.15)) <= told <= set(np.flatnonzero(tastes > 0.02))


# Sizes and the command line


@pytest.mark.parametrize(("n_items", "n_users"), [(20, 10), (200, 60), (20_000, 300)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_shop_of_any_size_in_the_limits_can_be_made(n_items, n_users, language):
    shop = make_shop(n_items, n_users, seed=3, language=language)
    assert shop.items["item_id"].n_unique() == shop.items["title"].n_unique() == n_items
    assert shop.users["user_id"].n_unique() == n_users
    warm = np.flatnonzero(~shop.truth.cold_users)
    assert set(shop.events["user_id"]) == set(shop.users["user_id"].gather(warm))
    assert 0 < shop.truth.cold_items.sum() < n_items


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((3, 100, 1), "3 items do not make a shop"),
        ((10**9, 100, 1), "1,000,000,000 items do not make a shop"),
        ((100, 0, 1), "0 users do not make a shop"),
        ((100, 100, -1), "must not be negative"),
        ((100, 100, 1, "fr"), "choose from en, zh"),
    ],
)
def test_a_shop_outside_the_limits_is_refused(size, message):
    with pytest.raises(ValueError, match=message):
        make_shop(*size)


def test_the_command_exits_with_2_for_a_shop_that_cannot_be_made(tmp_path, capsys):
    occupied = tmp_path / "file"
    occupied.write_text("")
    for arguments in (["--items", "-5", "--out", str(tmp_path / "x")], ["--out", str(occupied), "--items", "50"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2
        assert "error:" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_command_writes_the_shop_of_the_seed(tmp_path):
    command = [sys.executable, "-m", "training.synthetic", "--items", "150", "--users", "80", "--seed", "9"]
    done = subprocess.run([*command, "--out", tmp_path / "shop"], capture_output=True, text=True, check=True)
    assert "users          80" in done.stdout
    shop = make_shop(150, 80, seed=9)
    write_shop(shop, tmp_path / "again")
    for name in FRAMES:
        written = pl.read_parquet(tmp_path / "shop" / f"{name}.parquet")
        assert_frame_equal(written, getattr(shop, name))
        assert (tmp_path / "shop" / f"{name}.parquet").read_bytes() == (tmp_path / f"again/{name}.parquet").read_bytes()
