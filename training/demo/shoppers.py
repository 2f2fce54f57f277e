"""Whom the demo shows: three of the shop's users who differ in what is known of them."""

from dataclasses import dataclass

import polars as pl

from recsvc.domain.shop import Item, Profile
from training.data.profiles import profiles_of
from training.data.shop import Shop

_REGULAR, _BEGINNER, _SILENT = "A regular customer", "Someone who has bought a little", "Someone without a profile"


@dataclass(frozen=True)
class Shopper:
    """buys_again: the same things, over and over. purchases: in time order, in the columns of the events."""

    user_id: str
    kind: str
    buys_again: bool
    profile: Profile | None
    purchases: pl.DataFrame


def choose_shoppers(shop: Shop, among: int) -> list[Shopper]:
    """A regular who buys some things again and again, one with a few purchases, and one without a profile; all of the
    first `among` users and all of late.
    """
    profiles = profiles_of(shop.users)
    first = shop.users["user_id"].head(among)
    bought = shop.events.filter(pl.col("event_type") == "purchase", pl.col("user_id").is_in(first.implode()))
    orders = bought.group_by("user_id", "item_id").agg(times=pl.col("order_id").n_unique())
    users = (
        bought.group_by("user_id")
        .agg(lines=pl.len(), last=pl.col("timestamp").max())
        .join(orders.group_by("user_id").agg(pl.col("times").max()), on="user_id")
        .with_columns(told=pl.col("user_id").is_in(pl.Series(list(profiles)).implode()))
        .filter(pl.col("last") > shop.events["timestamp"].max() - pl.duration(days=45))
        .sort("user_id")
    )
    regular, beginner, silent = (
        users.filter("told", pl.col("lines").is_between(12, 40)).sort("times", descending=True, maintain_order=True),
        users.filter("told", pl.col("lines").is_between(3, 4), pl.col("times") == 1),
        users.filter(~pl.col("told"), pl.col("lines").is_between(5, 15)),
    )
    return [
        Shopper(user_id, kind, kind == _REGULAR, profiles.get(user_id), bought.filter(pl.col("user_id") == user_id))
        for kind, suited in ((_REGULAR, regular), (_BEGINNER, beginner), (_SILENT, silent))
        for user_id in suited["user_id"].head(1)
    ]


def something_else(shop: Shop, shopper: Shopper, items: dict[str, Item]) -> Item:
    """The shop's most bought item of a department in which the shopper never bought anything."""
    known = {_department(items[item_id]) for item_id in shopper.purchases["item_id"]}
    counts = shop.events.filter(pl.col("event_type") == "purchase")["item_id"].value_counts()
    best_sellers = counts.sort(["count", "item_id"], descending=[True, False])["item_id"]
    return next(items[item_id] for item_id in best_sellers if _department(items[item_id]) not in known)


def _department(item: Item) -> str:
    return item.categories[0] if item.categories else ""
