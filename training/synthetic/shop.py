"""Makes an invented shop with a known structure, so that tests can check whether a model finds it.

The same seed makes the same shop on any day.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.synthetic.catalogue import make_catalogue
from training.synthetic.demand import make_demand
from training.synthetic.events import make_events
from training.synthetic.shoppers import make_shoppers
from training.synthetic.words import read_vocabulary

ITEM_LIMITS = (20, 200_000)  # items, from and to
USER_LIMITS = (10, 1_000_000)  # users, from and to


@dataclass(frozen=True)
class Truth:
    """The structure that the events were drawn from. Rows are in the order of the frames `items` and `users`.

    Attributes:
        category_names: (n_categories,), the names of the tastes.
        item_category: int64 (n_items,), the taste that each item belongs to.
        user_tastes: float64 (n_users, n_categories); rows sum to 1.
        consumable_interval_days: float64 (n_items,), days until an item is used up; nan for a durable one.
        cold_items: bool (n_items,), True for an item without events, or with events only in the last 30 days.
        cold_users: bool (n_users,), True for a user with a profile and no events.
    """

    category_names: tuple[str, ...]
    item_category: NDArray[np.int64]
    user_tastes: NDArray[np.float64]
    consumable_interval_days: NDArray[np.float64]
    cold_items: NDArray[np.bool_]
    cold_users: NDArray[np.bool_]


@dataclass(frozen=True)
class SyntheticShop:
    """A synthetic shop.

    Attributes:
        events: The events table, in contract columns.
        items: The items table.
        users: The users table. Users without a profile have null attributes.
        truth: The structure behind them.
    """

    events: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    truth: Truth


def make_shop(n_items: int, n_users: int, seed: int, language: str = "en") -> SyntheticShop:
    """Makes a shop of this size.

    Raises:
        ValueError: A size is outside the limits, the seed is negative, or the language is unknown.
    """
    for noun, n, (low, high) in (("items", n_items, ITEM_LIMITS), ("users", n_users, USER_LIMITS)):
        if not low <= n <= high:
            raise ValueError(f"{n:,} {noun} do not make a shop: choose from {low:,} to {high:,}")
    if seed < 0:
        raise ValueError(f"the seed is {seed}; it must not be negative")
    vocabulary = read_vocabulary(language)
    # Each part has its own generator, so that a change in one part changes no draw of the others.
    catalogue_rng, shoppers_rng, demand_rng, events_rng = (np.random.default_rng([seed, part]) for part in range(4))
    catalogue = make_catalogue(vocabulary, n_items, catalogue_rng)
    shoppers = make_shoppers(vocabulary, catalogue, n_users, shoppers_rng)
    demand = make_demand(vocabulary, catalogue, demand_rng)
    events = make_events(catalogue, shoppers, demand, events_rng)
    truth = Truth(
        category_names=tuple(category.name for category in vocabulary.categories),
        item_category=catalogue.category,
        user_tastes=shoppers.tastes,
        consumable_interval_days=catalogue.interval_days,
        cold_items=demand.cold,
        cold_users=shoppers.cold,
    )
    return SyntheticShop(events, catalogue.frame, shoppers.frame, truth)


class Tables(Protocol):
    """Anything that holds a shop's three tables in contract columns."""

    @property
    def events(self) -> pl.DataFrame:
        """One row an event."""
        ...

    @property
    def items(self) -> pl.DataFrame:
        """One row an item."""
        ...

    @property
    def users(self) -> pl.DataFrame:
        """One row a user."""
        ...


def write_shop(shop: Tables, folder: Path) -> None:
    """Writes the three tables as Parquet into `folder`, and creates the folder.

    Raises:
        OSError: The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in (("events", shop.events), ("items", shop.items), ("users", shop.users)):
        frame.write_parquet(folder / f"{name}.parquet")


def describe_shop(shop: SyntheticShop) -> str:
    """A few lines for people about the size of the shop, with examples."""
    counts = dict(shop.events.group_by("event_type").len().sort("len", descending=True).iter_rows())
    first, last = shop.events.select(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).row(0)
    n_types = shop.items["categories"].n_unique()
    cold_items, cold_users = shop.truth.cold_items.sum(), shop.truth.cold_users.sum()
    lines = [
        f"items   {len(shop.items):>9,}  in {n_types} product types, {cold_items:,} cold, {shop.items['currency'][0]}",
        f"users   {len(shop.users):>9,}  {shop.users['about'].count():,} with a profile, {cold_users:,} cold",
        f"events  {len(shop.events):>9,}  " + ", ".join(f"{n:,} {kind}" for kind, n in counts.items()),
        f"time    {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        "for example",
        *(f"  {title}" for title in shop.items["title"].head(5)),
        *(f"  {about}" for about in shop.users["about"].drop_nulls().head(3)),
    ]
    return "\n".join(lines)
