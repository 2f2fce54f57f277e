"""A shop that never was, whose structure is known: so tests can ask whether a model finds it.

    python -m training.synthetic --items 2000 --users 3000 --seed 7 --out shop [--language zh]

writes events.parquet, items.parquet and users.parquet in the input contract. The same seed makes the same shop on
any day.
"""

import argparse
from collections.abc import Sequence
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
from training.synthetic.words import LANGUAGES, read_vocabulary

ITEM_LIMITS = (20, 200_000)
USER_LIMITS = (10, 1_000_000)


@dataclass(frozen=True)
class Truth:
    """What the events were drawn from. Rows are in the order of the frames `items` and `users`.

    category_names: (n_categories,), what the tastes are called.
    item_category: int64 (n_items,), the taste that an item answers to.
    user_tastes: float64 (n_users, n_categories), rows sum to 1.
    consumable_interval_days: float64 (n_items,), nan where an item is not used up.
    cold_items: bool (n_items,), no events, or only in the last 30 days.
    cold_users: bool (n_users,), a profile and no events.
    """

    category_names: tuple[str, ...]
    item_category: NDArray[np.int64]
    user_tastes: NDArray[np.float64]
    consumable_interval_days: NDArray[np.float64]
    cold_items: NDArray[np.bool_]
    cold_users: NDArray[np.bool_]


@dataclass(frozen=True)
class SyntheticShop:
    """The three tables in contract columns, and the truth behind them. Users without a profile have null attributes."""

    events: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    truth: Truth


def make_shop(n_items: int, n_users: int, seed: int, language: str = "en") -> SyntheticShop:
    """A shop of that size. ValueError for a size outside the limits, a negative seed or an unknown language."""
    for noun, n, (low, high) in (("items", n_items, ITEM_LIMITS), ("users", n_users, USER_LIMITS)):
        if not low <= n <= high:
            raise ValueError(f"{n:,} {noun} do not make a shop: from {low:,} to {high:,} are possible")
    if seed < 0:
        raise ValueError(f"the seed must not be negative, and is {seed}")
    vocabulary = read_vocabulary(language)
    # One stream a part, so that a change in one leaves what the others draw as it was.
    of_catalogue, of_shoppers, of_demand, of_events = (np.random.default_rng([seed, part]) for part in range(4))
    catalogue = make_catalogue(vocabulary, n_items, of_catalogue)
    shoppers = make_shoppers(vocabulary, catalogue, n_users, of_shoppers)
    demand = make_demand(vocabulary, catalogue, of_demand)
    events = make_events(catalogue, shoppers, demand, of_events)
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
    """A few lines that tell what was made."""
    counts = dict(shop.events.group_by("event_type").len().sort("len", descending=True).iter_rows())
    first, last = shop.events["timestamp"].min(), shop.events["timestamp"].max()
    lines = [
        f"items   {len(shop.items):>9,}  in {shop.items['categories'].n_unique()} product types, "
        f"{shop.truth.cold_items.sum():,} cold, {shop.items['currency'][0]}",
        f"users   {len(shop.users):>9,}  {shop.users['about'].count():,} with a profile, "
        f"{shop.truth.cold_users.sum():,} cold",
        f"events  {len(shop.events):>9,}  " + ", ".join(f"{n:,} {kind}" for kind, n in counts.items()),
        f"time    {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        "for example",
        *(f"  {title}" for title in shop.items["title"].head(5)),
        *(f"  {about}" for about in shop.users["about"].drop_nulls().head(3)),
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Leaves with code 2 and a message when the request makes no shop."""
    parser = argparse.ArgumentParser(prog="python -m training.synthetic", description="Makes a synthetic shop.")
    parser.add_argument("--items", type=int, default=2_000, help="how many items (default 2000)")
    parser.add_argument("--users", type=int, default=3_000, help="how many users (default 3000)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same shop (default 7)")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the three tables")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of titles and profiles (default en)")
    args = parser.parse_args(argv)
    try:
        shop = make_shop(args.items, args.users, args.seed, args.language)
        write_shop(shop, args.out)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(describe_shop(shop))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
