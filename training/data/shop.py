"""Reads a shop's three tables, checks all of them before anything is trained, and gives them one shape.

`python -m training.data --data DIR` only checks. The columns and limits are documented in training/README.md.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsvc.domain.shop import CATEGORY_SEPARATOR, EventType, category_path
from training.data.column_checks import TableCheck
from training.data.data_quality import count_defects
from training.data.tables import Table, read_table
from training.errors import DataError, Problem, shown

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

# A file in the folder of exported events. It holds a time, in microseconds since 1970 UTC: users who were erased before
# it have no events in the folder.
ERASURES_UNTIL = "erasures_until"
LISTS_FOLDER = "lists"  # beside the folder of exported events, with the exported lists
SEARCHES_TABLE = "searches"  # beside it, too: the exported searches, or the shop's own search log

UNKNOWN = "unknown"  # in any case of letters: shops export it for a missing brand or category
# Of the events, at most this share may be of unknown items. A catalogue can lack a few; with more it is the wrong one.
MAX_UNKNOWN_ITEM_SHARE = 0.001


@dataclass(frozen=True)
class Shop:
    """The checked tables of a shop. All columns are always there.

    Attributes:
        events: user_id, item_id, timestamp (Datetime('us', 'UTC')), event_type, quantity (Float64, 1 by default), price
            (Float64 or null), order_id (String or null). By time; ties keep the order of the file.
        items: item_id, title, categories ('A > B > C'), brand, price (Float64 or null), currency, attributes
            ('name=value; name=value'). Missing text is ''. In the order of the file.
        users: user_id and a String column for each attribute, '' where it is missing. No rows in a shop without
            profiles.
        notes: Defects that were counted, for people.
        fingerprint: sha256 of the content of the tables, the same in every file format.
        erasures_until: Users who were erased before this time have no events here. Microseconds since 1970 UTC; None
            if it is not known.
    """

    events: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    notes: tuple[str, ...]
    fingerprint: str
    erasures_until: int | None = None


def read_shop(folder: Path) -> Shop:
    """Reads and checks the tables in `folder`.

    Raises:
        DataError: Lists every problem of every table.
    """
    checks, problems = _open(folder)
    items = _items(checks["items"]) if "items" in checks else None
    users = _users(checks["users"]) if "users" in checks else pl.DataFrame(schema={"user_id": pl.String})
    events = _events(checks["events"]) if "events" in checks else None
    if events is not None and items is not None:
        events = _drop_unknown_items(checks["events"], events, items)
    for check in checks.values():
        problems += check.problems
    if problems or events is None or items is None:
        raise DataError(problems)
    notes = [note for check in checks.values() for note in check.notes]
    impressions = events["event_type"] == EventType.IMPRESSION.name.lower()
    if impressions.any():
        count = f"{impressions.sum():,} of {events.height:,}"
        notes.append(f"impressions, which do not show taste, left out: {count}")
        events = events.filter(~impressions)
    events = events.sort("timestamp", maintain_order=True)
    notes += count_defects(events, items, users)
    until = folder / "events" / ERASURES_UNTIL
    erasures_until = int(until.read_text()) if until.is_file() else None
    return Shop(events, items, users, tuple(notes), _fingerprint(events, items, users), erasures_until)


def _open(folder: Path) -> tuple[dict[str, TableCheck], list[Problem]]:
    if not folder.is_dir():
        raise DataError([Problem(shown(folder), None, None, "is not a folder")])
    checks: dict[str, TableCheck] = {}
    problems: list[Problem] = []
    for name in ("events", "items", "users"):
        try:
            table = read_table(folder, name, required=name != "users")
        except DataError as error:
            problems += error.problems
            continue
        if table is not None:
            checks[name] = _check(table, required=name != "users")
    return checks, problems


def _check(table: Table, *, required: bool) -> TableCheck:
    check = TableCheck(table)
    if required and table.frame.is_empty():
        check.problems.append(Problem(table.file, None, None, "has no rows"))
    if table.blank_lines:
        check.notes.append(f"{table.file}: blank lines, left out: {table.blank_lines:,}")
    return check


def _events(check: TableCheck) -> pl.DataFrame:
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


def _items(check: TableCheck) -> pl.DataFrame:
    _note_unread_columns(check, ITEM_COLUMNS)
    brands = check.text("brand", BRAND_LENGTH)
    unknown = brands.str.to_lowercase() == UNKNOWN
    if unknown.any():
        check.notes.append(f"brands called 'Unknown', read as no brand: {unknown.sum():,} of {brands.len():,}")
    return pl.DataFrame(
        [
            check.ids("item_id", ID_LENGTH, unique=True),
            check.text("title", TITLE_LENGTH, required=True),
            _known_categories(check, check.text("categories", CATEGORIES_LENGTH)),
            brands.zip_with(~unknown, pl.Series([""])),
            check.numbers("price"),
            check.text("currency", CURRENCY_LENGTH),
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
        "category paths with a '>' that is a part of a name, because it has no spaces around it": names_with_separator,
    }
    for fact, texts in counts.items():
        if texts:
            check.notes.append(f"{fact}: {categories.is_in(texts).sum():,} of {categories.len():,}")
    joined = {text: CATEGORY_SEPARATOR.join(path) for text, path in known.items()}
    return categories.replace_strict(joined, return_dtype=pl.String)


def _attributes(check: TableCheck) -> pl.Series:
    """The name=value pairs of each item, with '; ' between them."""
    attributes = check.text("attributes", ATTRIBUTES * (ATTRIBUTE_NAME_LENGTH + ITEM_ATTRIBUTE_LENGTH))
    pairs = attributes.str.split(";").list.eval(pl.element().str.strip_chars().filter(pl.element() != ""))
    well_formed = f"^[^=]{{1,{ATTRIBUTE_NAME_LENGTH}}}=.{{1,{ITEM_ATTRIBUTE_LENGTH}}}$"
    wrong = ~pairs.list.eval(pl.element().str.contains(well_formed)).list.all() | (pairs.list.len() > ATTRIBUTES)
    check.flag("attributes", wrong, f"must be at most {ATTRIBUTES} pairs name=value with '; ' between them", attributes)
    return pairs.list.join("; ")


def _users(check: TableCheck) -> pl.DataFrame:
    file, attributes = check.table.file, [name for name in check.table.frame.columns if name != "user_id"]
    if len(attributes) > ATTRIBUTES:
        check.problems.append(
            Problem(file, None, None, f"has {len(attributes)} attributes; at most {ATTRIBUTES} are allowed")
        )
    for name in attributes:
        if not 0 < len(name) <= ATTRIBUTE_NAME_LENGTH or not name.isprintable():
            message = (
                f"the name of an attribute must have 1 to {ATTRIBUTE_NAME_LENGTH} characters and no control characters"
            )
            check.problems.append(Problem(file, None, name, message))
    return pl.DataFrame(
        [check.ids("user_id", ID_LENGTH, unique=True)]
        + [check.text(name, ATTRIBUTE_LENGTH, numbers=True) for name in attributes]
    )


def _drop_unknown_items(check: TableCheck, events: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Drops and counts the events of items that are not in the catalogue. Too many of them are problems."""
    item_ids = events["item_id"]
    catalogue_ids = items["item_id"].drop_nulls()
    if catalogue_ids.is_empty():
        return events  # the catalogue has a worse problem, which is listed
    unknown = ~item_ids.is_in(catalogue_ids.implode()).fill_null(value=True)
    if unknown.sum() > MAX_UNKNOWN_ITEM_SHARE * events.height:
        check.flag("item_id", unknown & (item_ids.str.strip_chars() != ""), "is not in the items table", item_ids)
    elif unknown.any():
        count = f"{unknown.sum():,} of {events.height:,}"
        check.notes.append(f"events of items that are not in the items table, dropped: {count}")
    return events.filter(~unknown)


def _note_unread_columns(check: TableCheck, columns: tuple[str, ...]) -> None:
    unread = [shown(name) for name in check.table.frame.columns if name not in columns]
    if unread:
        check.notes.append(f"{check.table.file}: columns that are not read: {', '.join(unread)}")


def _fingerprint(*frames: pl.DataFrame) -> str:
    """sha256 over the content of the tables.

    Values are joined by control characters, which no checked text holds, so different contents give different bytes.
    """
    digest = hashlib.sha256(b"recsvc shop 1")
    for frame in frames:
        digest.update(f"\x1d{frame.height}".encode())
        for column in (column for part in frame.iter_slices(1_000_000) for column in part):
            digest.update(f"\x1e{column.name}\x1e".encode())
            if column.dtype == pl.String:
                digest.update("\x1f".join(column.fill_null("\x1c")).encode())
            elif column.dtype == pl.Float64:
                digest.update(column.fill_null(np.nan).to_numpy().astype("<f8").tobytes())
            else:
                digest.update(column.to_physical().to_numpy().astype("<i8").tobytes())
    return digest.hexdigest()
