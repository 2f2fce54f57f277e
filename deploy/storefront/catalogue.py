"""The shop's own catalogue, read from its items table."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pyarrow import parquet

ID_LENGTH = 128  # the longest id that the service accepts
MAX_ATTRIBUTES = 32


class CatalogueError(Exception):
    """The items table cannot be read. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Product:
    """One item. Its texts come from sellers and are never trusted. categories: from the department down."""

    item_id: str
    title: str
    categories: tuple[str, ...] = ()
    brand: str = ""
    price: float | None = None
    currency: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """Its categories as one text."""
        return " > ".join(self.categories)


class Catalogue:
    """Products by id, in the order of the table."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._products = {product.item_id: product for product in products}
        self._texts = {item.item_id: f"{item.title} {item.brand} {item.path}".casefold() for item in self}
        self.departments = sorted({item.categories[0] for item in self if item.categories})

    def __len__(self) -> int:
        return len(self._products)

    def __iter__(self) -> Iterator[Product]:
        return iter(self._products.values())

    def get(self, item_id: str) -> Product | None:
        """The item, or None if the shop does not sell it."""
        return self._products.get(item_id)

    def in_category(self, path: tuple[str, ...]) -> list[Product]:
        """The items of a category and of its subcategories."""
        return [product for product in self if product.categories[: len(path)] == path]

    def search(self, query: str, k: int) -> list[Product]:
        """The first k items that have every word of the query. Used when the service is not available."""
        words = query.casefold().split()
        matches = (item for item in self if all(word in self._texts[item.item_id] for word in words))
        return list(islice(matches, k))

    def selection(self, k: int) -> list[Product]:
        """K items from as many departments as possible, always the same."""
        shelves = [self.in_category((department,)) for department in self.departments] or [list(self)]
        in_turn = (shelf[turn] for turn in range(k) for shelf in shelves if turn < len(shelf))
        return list(islice(in_turn, k))


def read_catalogue(file: Path) -> Catalogue:
    """Reads an items table, .parquet or .csv, as training/README.md describes it. Raises CatalogueError."""
    try:
        rows = _parquet(file) if file.suffix == ".parquet" else _csv(file)
    except FileNotFoundError:
        raise CatalogueError(f"there is no {file}; --items names the shop's items table, .parquet or .csv") from None
    except (OSError, ValueError, csv.Error) as error:
        raise CatalogueError(f"{file} cannot be read as an items table: {error}") from None
    products = [_product(row, file) for row in rows]
    catalogue = Catalogue(product for product in products if product.title)
    if not len(catalogue):
        raise CatalogueError(f"{file} has no item with a title")
    return catalogue


def _parquet(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    return rows


def _csv(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _product(row: Mapping[str, Any], file: Path) -> Product:
    item_id = str(row.get("item_id") or "")
    if not 0 < len(item_id) <= ID_LENGTH:
        raise CatalogueError(f"{file} has an item_id that does not have 1 to {ID_LENGTH} characters")
    price = row.get("price")
    try:
        cost = None if price in (None, "") else float(str(price))
    except ValueError:
        raise CatalogueError(f"{file} has a price that is not a number, for the item {item_id}") from None
    pairs = (pair.split("=", 1) for pair in str(row.get("attributes") or "").split(";") if "=" in pair)
    return Product(
        item_id=item_id,
        title=str(row.get("title") or "").strip(),
        categories=tuple(part.strip() for part in str(row.get("categories") or "").split(" > ") if part.strip()),
        brand=str(row.get("brand") or "").strip(),
        price=cost,
        currency=str(row.get("currency") or "").strip(),
        attributes=tuple((name.strip(), value.strip()) for name, value in pairs)[:MAX_ATTRIBUTES],
    )
