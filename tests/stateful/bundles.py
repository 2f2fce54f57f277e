"""Two bundles of one shop: the second was trained today, on a table with other prices."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recsvc.domain.shop import Item
from recsvc.model import bundle_files
from recsvc.model.catalogue import Catalogue

TABLE_DAYS_AGO = [300, 0]


def make_bundles(small_bundle: Path, folder: Path) -> list[Path]:
    """Writes both into `folder`, and returns their folders."""
    bundle = bundle_files.load(small_bundle)
    dearer = [replace(item, price=item.price and round(item.price + 100, 2)) for item in bundle.catalogue.items]
    paths = []
    for items, days in zip((bundle.catalogue.items, dearer), TABLE_DAYS_AGO, strict=True):
        made = (datetime.now(UTC) - timedelta(days=days, minutes=1)).isoformat()
        about = {"created": made, "data": {"items_written": made}}
        bundle_id = bundle_files.save(replace(bundle, catalogue=Catalogue(items), provenance=about), folder / "part")
        paths.append((folder / "part").rename(folder / bundle_id))
    return paths


def table_of(bundle: Path) -> dict[str, Item]:
    """The items of a bundle by id."""
    return {item.item_id: item for item in bundle_files.load(bundle).catalogue.items}


def largest_brand(table: dict[str, Item]) -> str:
    return Counter(item.brand for item in table.values() if item.brand).most_common(1)[0][0]
