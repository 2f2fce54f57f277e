"""The columns of each table: which are read, and which values they may hold. Documented in training/README.md."""

import polars as pl

from recsvc.domain.shop import CATEGORY_SEPARATOR, EventType, category_path
from training.data.column_checks import TableCheck
from training.errors import Problem, shown

EVENT_TYPES = tuple(event_type.name.lower() for event_type in EventType)
EVENT_COLUMNS = ("user_id", "item_id", "timestamp", "event_type", "quantity", "price", "order_id")
ITEM_COLUMNS = ("item_id", "title", "categories", "brand", "price", "currency", "attributes")

# Limits of the contract in protos/: characters, and a number.
ID_LENGTH = 128
TITLE_LENGTH = 1_000
CATEGORIES_LENGTH = 1_000
BRAND_LENGTH = 256
CURRENCY_LENGTH = 16
ATTRIBUTE_LENGTH = 2_000  # a user's
ITEM_ATTRIBUTE_LENGTH = 256
ATTRIBUTE_NAME_LENGTH = 64
ATTRIBUTES = 32  # a user's or an item's
QUANTITY = 1_000_000
UNKNOWN = "unknown"  # in any case of letters: shops export it for a missing brand or category


def event_columns(check: TableCheck) -> pl.DataFrame:
    """The events of a file, as in `training.data.shop.Shop.events`; in the order of the file."""
    _note_unread_columns(check, EVENT_COLUMNS)
    order_ids = check.text("order_id", ID_LENGTH)
    return pl.DataFrame(
        [
            check.ids("user_id", ID_LENGTH),
            check.ids("item_id", ID_LENGTH),
            check.timestamps("timestamp"),
            check.choice("event_type", EVENT_TYPES),
            check.numbers("quantity", positive=True, most=QUANTITY).fill_null(1.0),
            check.numbers("price"),
            order_ids.replace("", None),
        ]
    )


def item_columns(check: TableCheck) -> pl.DataFrame:
    """The items of a file, as in `training.data.shop.Shop.items`."""
    _note_unread_columns(check, ITEM_COLUMNS)
    brands = check.text("brand", BRAND_LENGTH)
    prices, currencies = check.numbers("price"), check.text("currency", CURRENCY_LENGTH)
    _note_currencies(check, currencies.filter(prices.is_not_null()))
    unknown = brands.str.to_lowercase() == UNKNOWN
    if unknown.any():
        check.notes.append(f"brands called 'Unknown', read as no brand: {unknown.sum():,} of {brands.len():,}")
    return pl.DataFrame(
        [
            check.ids("item_id", ID_LENGTH),
            check.text("title", TITLE_LENGTH, required=True),
            _known_categories(check, check.text("categories", CATEGORIES_LENGTH)),
            brands.zip_with(~unknown, pl.Series([""])),
            prices,
            currencies,
            _attributes(check),
        ]
    )


def _known_categories(check: TableCheck, categories: pl.Series) -> pl.Series:
    """The paths with one spelling of the separator, without the parts that are empty or called 'Unknown'."""
    paths = {text: category_path(text) for text in categories.unique()}
    known = {text: tuple(name for name in path if name.lower() != UNKNOWN) for text, path in paths.items()}
    names_with_separator = [text for text, path in paths.items() if any(">" in name for name in path)]
    counts = {
        "category paths with a part called 'Unknown', left out": [text for text in paths if known[text] != paths[text]],
        "category names with a '>', which separates only between spaces": names_with_separator,
    }
    for fact, texts in counts.items():
        if texts:
            check.notes.append(f"{fact}: {categories.is_in(texts).sum():,} of {categories.len():,}")
    joined = {text: CATEGORY_SEPARATOR.join(path) for text, path in known.items()}
    return categories.replace_strict(joined, return_dtype=pl.String)


def _note_currencies(check: TableCheck, currencies: pl.Series) -> None:
    """Notes prices that cannot be compared. currencies: of the items with a price."""
    counts = dict(currencies.value_counts(sort=True).sort("count", "currency", descending=[True, False]).iter_rows())
    named = ", ".join(f"{shown(name)} {count:,}" for name, count in counts.items() if name)
    if len(counts.keys() - {""}) > 1:
        check.notes.append(
            f"prices are in several currencies ({named}): filters and rules by price compare them as numbers, so give "
            "all prices in one currency, or train a bundle for each"
        )


def _attributes(check: TableCheck) -> pl.Series:
    """The name=value pairs of each item, with '; ' between them."""
    attributes = check.text("attributes", ATTRIBUTES * (ATTRIBUTE_NAME_LENGTH + ITEM_ATTRIBUTE_LENGTH))
    pairs = attributes.str.split(";").list.eval(pl.element().str.strip_chars().filter(pl.element() != ""))
    well_formed = f"^[^=]{{1,{ATTRIBUTE_NAME_LENGTH}}}=.{{1,{ITEM_ATTRIBUTE_LENGTH}}}$"
    wrong = ~pairs.list.eval(pl.element().str.contains(well_formed)).list.all() | (pairs.list.len() > ATTRIBUTES)
    check.flag("attributes", wrong, f"must be at most {ATTRIBUTES} pairs name=value with '; ' between them", attributes)
    return pairs.list.join("; ")


def user_columns(check: TableCheck) -> pl.DataFrame:
    """The users of a file, as in `training.data.shop.Shop.users`."""
    attributes = [name for name in check.table.frame.columns if name != "user_id"]
    for name in attributes:
        if not 0 < len(name) <= ATTRIBUTE_NAME_LENGTH or not name.isprintable():
            message = (
                f"the name of an attribute must have 1 to {ATTRIBUTE_NAME_LENGTH} characters and no control characters"
            )
            check.problems.append(Problem(check.table.file, None, name, message))
    return pl.DataFrame(
        [check.ids("user_id", ID_LENGTH)] + [check.text(name, ATTRIBUTE_LENGTH, numbers=True) for name in attributes]
    )


def _note_unread_columns(check: TableCheck, columns: tuple[str, ...]) -> None:
    unread = [shown(name) for name in check.table.frame.columns if name not in columns]
    if unread:
        check.notes.append(f"columns that are not read: {', '.join(unread)}")
