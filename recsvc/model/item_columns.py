"""The items of a catalogue as columns: what a bundle stores of them."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows
from recsvc.domain.shop import Item
from recsvc.model.columns import Arrays, DistinctTexts, Lists, Texts

NO_CODE = -1

# Category paths and attributes that are read from JSON and kept: most items of a page have the same few hundred.
_KEPT_NAMES = 16_384


@dataclass(frozen=True)
class ItemColumns:
    """The items of n rows.

    Attributes:
        ids: By row, distinct.
        titles: By row.
        brand_codes: int32 (n,), places in `brands`; NO_CODE for none.
        brands: By code.
        path_codes: int32 (n,), places in `paths`; NO_CODE for none.
        paths: Category paths by code, each as written by `written`.
        prices: float64 (n,); NaN if unknown.
        currency_codes: int32 (n,), places in `currencies`; NO_CODE for none.
        currencies: By code.
        attribute_codes: For each row, places in `attributes`, in the item's order.
        attributes: Attributes by code, name and value of each as written by `written`.
        attribute_rows: For each attribute, the rows that have it, ascending.
    """

    ids: DistinctTexts
    titles: Texts
    brand_codes: Rows
    brands: DistinctTexts
    path_codes: Rows
    paths: DistinctTexts
    prices: NDArray[np.float64]
    currency_codes: Rows
    currencies: DistinctTexts
    attribute_codes: Lists
    attributes: DistinctTexts
    attribute_rows: Lists

    @staticmethod
    def of(items: Iterable[Item]) -> "ItemColumns":
        """Makes the columns of items with distinct ids."""
        rows = list(items)
        brands, paths, currencies, attributes = _Coder(), _Coder(), _Coder(), _Coder()
        brand_codes = brands.codes(item.brand for item in rows)
        path_codes = paths.codes(written(item.categories) if item.categories else "" for item in rows)
        currency_codes = currencies.codes(item.currency for item in rows)
        lists = Lists.of([[attributes.code(written(pair)) for pair in item.attributes] for item in rows])
        return ItemColumns(
            ids=DistinctTexts.of(item.item_id for item in rows),
            titles=Texts.of(item.title for item in rows),
            brand_codes=brand_codes,
            brands=DistinctTexts.of(brands.code_of),
            path_codes=path_codes,
            paths=DistinctTexts.of(paths.code_of),
            prices=np.array([math.nan if item.price is None else item.price for item in rows], np.float64),
            currency_codes=currency_codes,
            currencies=DistinctTexts.of(currencies.code_of),
            attribute_codes=lists,
            attributes=DistinctTexts.of(attributes.code_of),
            attribute_rows=lists.inverted(len(attributes.code_of)),
        )

    @staticmethod
    def read(arrays: Arrays) -> "ItemColumns":
        """Takes the columns from the arrays of a bundle."""
        columns: dict[str, Any] = {name: arrays[f"item.{name}"] for name in _PLAIN}
        columns |= {name: column.read(f"item.{name}", arrays) for name, column in _COLUMNS.items()}
        return ItemColumns(**columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns all arrays by name."""
        arrays = {f"item.{name}": getattr(self, name) for name in _PLAIN}
        for name in _COLUMNS:
            arrays |= getattr(self, name).arrays(f"item.{name}")
        return arrays

    def __len__(self) -> int:
        return len(self.ids)

    def item(self, row: int) -> Item:
        """Builds the item of a row."""
        brand, path, currency = (int(codes[row]) for codes in (self.brand_codes, self.path_codes, self.currency_codes))
        price = float(self.prices[row])
        return Item(
            item_id=self.ids[row],
            title=self.titles[row],
            brand=self.brands[brand] if brand != NO_CODE else "",
            categories=read_name(self.paths[path]) if path != NO_CODE else (),
            price=None if math.isnan(price) else price,
            currency=self.currencies[currency] if currency != NO_CODE else "",
            attributes=tuple(_attribute(self.attributes[code]) for code in self.attribute_codes[row].tolist()),
        )


_PLAIN = ("brand_codes", "path_codes", "prices", "currency_codes")
_COLUMNS: dict[str, type[Texts] | type[Lists]] = {
    "ids": DistinctTexts,
    "titles": Texts,
    "brands": DistinctTexts,
    "paths": DistinctTexts,
    "currencies": DistinctTexts,
    "attribute_codes": Lists,
    "attributes": DistinctTexts,
    "attribute_rows": Lists,
}
# The names of the arrays of a bundle that hold its items.
ARRAY_NAMES = (
    *(f"item.{name}" for name in _PLAIN),
    *(f"item.{name}.{part}" for name, column in _COLUMNS.items() for part in column.ARRAYS),
)
# Those with one row for each item, to which rows are added.
GROWING = tuple(f"item.{name}" for name in _PLAIN)


def written(name: tuple[str, ...]) -> str:
    """Returns several texts as one, so that no other texts give the same."""
    return json.dumps(name, ensure_ascii=False)


@lru_cache(_KEPT_NAMES)
def read_name(text: str) -> tuple[str, ...]:
    """Returns the texts that were written as one."""
    return tuple(json.loads(text))


def _attribute(text: str) -> tuple[str, str]:
    name, value = read_name(text)
    return name, value


class _Coder:
    """Gives each distinct text the next code."""

    def __init__(self) -> None:
        self.code_of: dict[str, int] = {}

    def code(self, text: str) -> int:
        return self.code_of.setdefault(text, len(self.code_of)) if text else NO_CODE

    def codes(self, texts: Iterable[str]) -> Rows:
        return np.array([self.code(text) for text in texts], np.int32)
