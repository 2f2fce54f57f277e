"""Makes the shop that is measured: 100,000 items, and a bundle that was trained on it for a short time.

That takes some minutes, most of them for embedding the titles. The result is kept for the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console

from recsvc.errors import BundleError
from recsvc.model import bundle_files as bundles
from tests.benchmarks.tiled import tiled
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.data.split import Profiles
from training.fitting.search_views import add_search_views
from training.fitting.split_choice import make_split
from training.synthetic.shop import make_shop, write_shop
from training.train import train

ITEMS, USERS, SEED = 100_000, 20_000, 1
# Speed depends on the sizes of the arrays, and these are as large as in production. The weights are only roughly those
# of a well-trained model, so no block is dropped.
CONFIG = TrainConfig(
    test_days=1,
    text_epochs=1,
    sequence_epochs=1,
    epoch_events=40_000,
    tuning_users=200,
    drop_blocks=False,
    refit="none",
)


@dataclass(frozen=True)
class BenchShop:
    """The shop. bundle: its folder. events, users: tables in the format of the input contract."""

    bundle: Path
    item_ids: list[str]
    events: pl.DataFrame
    users: pl.DataFrame

    def of_users(self, user_ids: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The events and the users tables, with these users alone."""
        return self.events.filter(pl.col("user_id").is_in(user_ids)), self.users.filter(
            pl.col("user_id").is_in(user_ids)
        )


def prepared_shop(folder: Path, console: Console, items: int = ITEMS) -> BenchShop:
    """Reads the shop from `folder`. Makes it first if it is missing, or if its format cannot be read.

    Args:
        folder: Where it is kept.
        console: Shows what takes long.
        items: With more than ITEMS, the bundle is tiled from the one of ITEMS; people buy the first ITEMS.
    """
    tables, bundle = folder / "shop", folder / "bundles" / "latest"
    try:
        bundles.load(bundle)
    except BundleError:
        console.print(f"making a shop of {ITEMS:,} items and its bundle; the next run will reuse them")
        write_shop(make_shop(ITEMS, USERS, SEED), tables)
        train(tables, folder / "bundles", CONFIG, console)
    events, table, users = (pl.read_parquet(tables / f"{name}.parquet") for name in ("events", "items", "users"))
    item_ids = table["item_id"].to_list()
    if items > ITEMS:
        bundle, item_ids = _tiled_bundle(bundle, folder, items, console)
    return BenchShop(bundle.resolve(), item_ids, events, users)


def _tiled_bundle(bundle: Path, folder: Path, items: int, console: Console) -> tuple[Path, list[str]]:
    """Reads the bundle with `items` items, or makes it from a smaller one. Returns its folder and the ids."""
    path = folder / "tiled" / f"{bundle.resolve().name}-{items}"
    try:
        large = bundles.load(path)
    except BundleError:
        console.print(f"tiling the bundle to {items:,} items; the next run will reuse it")
        bundles.save(tiled(bundles.load(bundle), items), path)
        large = bundles.load(path)
        users = make_split(Interactions.of(read_shop(folder / "shop")), CONFIG).test
        fitted = add_search_views(path, large, users, Profiles([None] * len(users)))
        console.print("searched in full" if fitted is None else f"recall of the search: {fitted.recall}")
    return path, [item.item_id for item in large.catalogue.items]
