"""Chooses the users that the demo shows: three that the service knows different things about."""

from dataclasses import dataclass

import polars as pl

from recsvc.domain.shop import Item, Profile
from training.data.bought import bought
from training.data.profiles import profiles_of
from training.data.shop import Shop

_REGULAR, _BEGINNER, _WITHOUT_PROFILE = "Regular customer", "New customer, few purchases", "Customer without a profile"
_RECENT_DAYS = 45  # each of them bought something in the last days of the shop


@dataclass(frozen=True)
class Shopper:
    """One of them.

    Attributes:
        user_id: Their id.
        kind: What to call them.
        buys_again: Whether they buy the same items again and again.
        profile: Their profile, if they have one.
        purchases: Rows of the events table that were not sent back, in order of time.
    """

    user_id: str
    kind: str
    buys_again: bool
    profile: Profile | None
    purchases: pl.DataFrame


def choose_shoppers(shop: Shop, among: int) -> list[Shopper]:
    """Chooses a regular customer, one with few purchases, and one without a profile.

    All are among the first `among` users, and bought something recently.
    """
    profiles = profiles_of(shop.users)
    first = shop.users["user_id"].head(among)
    kept = shop.events.filter(bought(shop.events)).filter(pl.col("user_id").is_in(first.implode()))
    orders = kept.group_by("user_id", "item_id").agg(times=pl.col("order_id").n_unique())
    users = (
        kept.group_by("user_id")
        .agg(lines=pl.len(), last=pl.col("timestamp").max())
        .join(orders.group_by("user_id").agg(pl.col("times").max()), on="user_id")
        .with_columns(has_profile=pl.col("user_id").is_in(pl.Series(list(profiles)).implode()))
        .filter(pl.col("last") > shop.events["timestamp"].max() - pl.duration(days=_RECENT_DAYS))
        .sort("user_id")
    )
    regular, beginner, without_profile = (
        users.filter("has_profile", pl.col("lines").is_between(12, 40)).sort(
            "times", descending=True, maintain_order=True
        ),
        users.filter("has_profile", pl.col("lines").is_between(3, 4), pl.col("times") == 1),
        users.filter(~pl.col("has_profile"), pl.col("lines").is_between(5, 15)),
    )
    return [
        Shopper(user_id, kind, kind == _REGULAR, profiles.get(user_id), kept.filter(pl.col("user_id") == user_id))
        for kind, candidates in ((_REGULAR, regular), (_BEGINNER, beginner), (_WITHOUT_PROFILE, without_profile))
        for user_id in candidates["user_id"].head(1)
    ]


def best_seller_elsewhere(shop: Shop, shopper: Shopper, items: dict[str, Item]) -> Item:
    """The most bought item of the departments in which the shopper never bought anything."""
    visited = {_department(items[item_id]) for item_id in shopper.purchases["item_id"]}
    counts = shop.events.filter(bought(shop.events))["item_id"].value_counts()
    best_sellers = counts.sort(["count", "item_id"], descending=[True, False])["item_id"]
    return next(items[item_id] for item_id in best_sellers if _department(items[item_id]) not in visited)


def _department(item: Item) -> str:
    return item.categories[0] if item.categories else ""
