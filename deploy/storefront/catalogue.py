"""The shop's own catalogue, from its items table: what is shown with recommendations, and without them."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import parquet

ID_LENGTH = 128  # the service takes no longer one
ATTRIBUTES = 32


class CatalogueError(Exception):
    """The items table cannot be read. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Product:
    """One item. Its words are the seller's: never trusted. categories: from the department down."""

    item_id: str
    title: str
    categories: tuple[str, ...] = ()
    brand: str = ""
    price: float | None = None
    currency: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        return " > ".join(self.categories)


class Catalogue:
    """Products by id, in the order of the table."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._products = {product.item_id: product for product in products}
        self._words = {each.item_id: f"{each.title} {each.brand} {each.path}".casefold() for each in self}
        self.departments = sorted({each.categories[0] for each in self if each.categories})

    def __len__(self) -> int:
        return len(self._products)

    def __iter__(self) -> Iterator[Product]:
        return iter(self._products.values())

    def get(self, item_id: str) -> Product | None:
        return self._products.get(item_id)

    def within(self, path: tuple[str, ...]) -> list[Product]:
        """Those of a category or of one beneath it."""
        return [product for product in self if product.categories[: len(path)] == path]

    def matching(self, query: str, k: int) -> list[Product]:
        """Those that have every word of the query: the search of a shop whose service is away."""
        words = query.casefold().split()
        found = (each for each in self if all(word in self._words[each.item_id] for word in words))
        return [product for product, _ in zip(found, range(k), strict=False)]

    def some(self, k: int) -> list[Product]:
        """From as many departments as there are, the same each time."""
        shelves = [self.within((department,)) for department in self.departments] or [list(self)]
        turns = (shelf[turn] for turn in range(k) for shelf in shelves if turn < len(shelf))
        return [product for product, _ in zip(turns, range(k), strict=False)]


def read_catalogue(file: Path) -> Catalogue:
    """An items table as training/README.md describes it, as .parquet or .csv. Raises CatalogueError."""
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
        raise CatalogueError(f"{file} has an item whose item_id is not of 1 to {ID_LENGTH} characters")
    price = row.get("price")
    try:
        cost = None if price in (None, "") else float(str(price))
    except ValueError:
        raise CatalogueError(f"{file} has a price that is no number, of the item {item_id}") from None
    pairs = (pair.split("=", 1) for pair in str(row.get("attributes") or "").split(";") if "=" in pair)
    return Product(
        item_id=item_id,
        title=str(row.get("title") or "").strip(),
        categories=tuple(part.strip() for part in str(row.get("categories") or "").split(" > ") if part.strip()),
        brand=str(row.get("brand") or "").strip(),
        price=cost,
        currency=str(row.get("currency") or "").strip(),
        attributes=tuple((name.strip(), value.strip()) for name, value in pairs)[:ATTRIBUTES],
    )
