"""The words, prices and habits that a shop is made of. Reads en.toml and zh.toml.

The fields of a category in these files:
    peak: The months of its season.
    swing: In its season it sells this many times as much.
    share: Of the catalogue, against 1 for another category.
    about: Verb phrases in the profiles of users with this taste.
    uses: For types without uses of their own.

The fields of a product type:
    name: The third level of the category path.
    noun: In titles; the name by default.
    price: The median.
    of: Variants.
    in: Sizes or colours.
    days: A consumable is bought again after this time.
    with: Names of the types that are often bought beside it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Option:
    """A variant or size of a product. `factor` multiplies the price and, for a size, the days that it lasts."""

    text: str
    factor: float = 1.0


@dataclass(frozen=True)
class ProductType:
    """The items that share a noun. The fields are explained above; `finishes` are the field `in`."""

    name: str
    noun: str
    price: float
    variants: tuple[Option, ...]
    finishes: tuple[Option, ...]
    uses: tuple[str, ...]
    days: float | None
    accessories: tuple[str, ...]


@dataclass(frozen=True)
class Category:
    """A taste that users can have, and its product types. The fields are explained above."""

    department: str
    name: str
    share: float
    peak: tuple[int, ...]
    swing: float
    brands: tuple[str, ...]
    lines: tuple[str, ...]
    about: tuple[str, ...]
    types: tuple[ProductType, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words of a shop in one language.

    Attributes:
        language: "en" or "zh".
        currency: Of all prices.
        price_ends: Endings of a price, such as 0.99.
        title: The form of a title.
        about: Sentence forms of a profile, for one, two and three phrases.
        about_more: Further forms for two phrases.
        cities: Where users live.
        categories: The tastes and their products.
    """

    language: str
    currency: str
    price_ends: tuple[float, ...]
    title: str
    about: tuple[str, ...]
    about_more: tuple[str, ...]
    cities: tuple[str, ...]
    categories: tuple[Category, ...]


def read_vocabulary(language: str) -> Vocabulary:
    """The vocabulary of a language.

    Raises:
        ValueError: The language is not one of LANGUAGES.
    """
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}: choose from {', '.join(LANGUAGES)}")
    table = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    return Vocabulary(
        language=table["language"],
        currency=table["currency"],
        price_ends=tuple(table["price_ends"]),
        title=table["title"],
        about=tuple(table["about"]),
        about_more=tuple(table["about_more"]),
        cities=_split(table["cities"]),
        categories=tuple(_category(entry, table) for entry in table["category"]),
    )


def _category(entry: dict[str, Any], table: dict[str, Any]) -> Category:
    uses = entry.get("uses", "")
    return Category(
        department=entry["department"],
        name=entry["name"],
        share=entry.get("share", 1.0),
        peak=tuple(entry.get("peak", ())),
        swing=entry.get("swing", 1.0),
        brands=_split(entry["brands"]),
        lines=_split(table["lines"][entry["department"]]),
        about=tuple(entry["about"]),
        types=tuple(_product_type({"uses": uses, **fields}, table["lists"]) for fields in entry["types"]),
    )


def _product_type(fields: dict[str, Any], lists: dict[str, str]) -> ProductType:
    return ProductType(
        name=fields["name"],
        noun=fields.get("noun", fields["name"]),
        price=fields["price"],
        variants=_options(fields["of"], lists),
        finishes=_options(fields["in"], lists),
        uses=_split(fields["uses"]),
        days=fields.get("days"),
        accessories=_split(fields.get("with", "")),
    )


def _options(text: str, lists: dict[str, str]) -> tuple[Option, ...]:
    if text.startswith("@"):
        text = lists[text[1:]]
    pairs = (word.partition("*") for word in _split(text))
    return tuple(Option(word, float(factor or 1.0)) for word, _, factor in pairs)


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(";") if word.strip())
