"""A shop's three tables: read, checked as a whole before anything is trained, and brought to one shape.

`python -m training.data --data DIR` only checks. The columns and limits are documented in this folder's README.
"""

import argparse
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console

from recsvc.domain.shop import CATEGORY_SEPARATOR, EventType
from training.data.column_checks import TableCheck
from training.data.data_quality import count_dirt
from training.data.tables import Table, read_table
from training.errors import DataError, Problem, shown

EVENT_TYPES = tuple(event_type.name.lower() for event_type in EventType)
EVENT_COLUMNS = ("user_id", "item_id", "timestamp", "event_type", "quantity", "price", "order_id")
ITEM_COLUMNS = ("item_id", "title", "categories", "brand", "price", "currency", "attributes")

# Characters, and the most of a quantity: those of the contract in protos/.
ID_LENGTH = 128
TITLE_LENGTH = 1_000
CATEGORIES_LENGTH = 1_000
BRAND_LENGTH = 256
CURRENCY_LENGTH = 16
ATTRIBUTE_LENGTH = 2_000  # of a user
ITEM_ATTRIBUTE_LENGTH = 256
ATTRIBUTE_NAME_LENGTH = 64
ATTRIBUTES = 32
QUANTITY = 1_000_000

# In the folder of exported events: users erased until then are not in it, in microseconds since 1970 UTC.
ERASURES_UNTIL = "erasures_until"
# Beside the exported events, where lists were exported too.
LISTS_FOLDER = "lists"

UNKNOWN = "unknown"  # what exports write where there is no brand or category; in any case
UNKNOWN_ITEMS_SHARE = 0.001  # of the events: a catalogue that lost a few items is dirt, more is the wrong catalogue


@dataclass(frozen=True)
class Shop:
    """What training starts from. All columns are always there.

    events: user_id, item_id, timestamp (Datetime('us', 'UTC')), event_type, quantity (Float64, 1 where none was given),
        price (Float64 or null), order_id (str or null); by time, in the file's order within a tie.
    items: item_id, title, categories ('A > B > C'), brand, price (Float64 or null), currency, attributes ('name=value;
        name=value'); '' where there is none; in the file's order.
    users: user_id and a str column an attribute, '' where there is none; no rows when the shop has no profiles.
    notes: the dirt that was counted, for people.
    fingerprint: sha256 of the tables' content, whatever format they came in.
    erasures_until: users who were erased until then are not in it, in microseconds since 1970 UTC; None: nobody knows.
    """

    events: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    notes: tuple[str, ...]
    fingerprint: str
    erasures_until: int | None = None


def read_shop(folder: Path) -> Shop:
    """Reads and checks `folder`'s tables. Raises DataError with every problem of every table."""
    checks, problems = _open(folder)
    items = _items(checks["items"]) if "items" in checks else None
    users = _users(checks["users"]) if "users" in checks else pl.DataFrame(schema={"user_id": pl.String})
    events = _events(checks["events"]) if "events" in checks else None
    if events is not None and items is not None:
        events = _of_known_items(checks["events"], events, items)
    for check in checks.values():
        problems += check.problems
    if problems or events is None or items is None:
        raise DataError(problems)
    notes = [note for check in checks.values() for note in check.notes]
    shown = events["event_type"] == EventType.IMPRESSION.name.lower()
    if shown.any():
        notes.append(f"impressions, which say nothing of taste, passed over: {shown.sum():,} of {events.height:,}")
        events = events.filter(~shown)
    events = events.sort("timestamp", maintain_order=True)
    notes += count_dirt(events, items, users)
    until = folder / "events" / ERASURES_UNTIL
    erasures_until = int(until.read_text()) if until.is_file() else None
    return Shop(events, items, users, tuple(notes), _fingerprint(events, items, users), erasures_until)


def _open(folder: Path) -> tuple[dict[str, TableCheck], list[Problem]]:
    if not folder.is_dir():
        raise DataError([Problem(shown(folder), None, None, "is no folder")])
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
        check.notes.append(f"{table.file}: blank lines, passed over: {table.blank_lines:,}")
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
        check.notes.append(f"brands called 'Unknown', taken for none: {unknown.sum():,} of {brands.len():,}")
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
    """The paths without parts that are empty or called 'Unknown'."""
    part = pl.element().str.strip_chars()
    known = pl.element().filter((part != "") & (part.str.to_lowercase() != UNKNOWN)).str.strip_chars()
    paths = categories.str.split(CATEGORY_SEPARATOR.strip())
    unknown = paths.list.eval(part.str.to_lowercase() == UNKNOWN).list.any()
    if unknown.any():
        check.notes.append(
            f"category paths with a part called 'Unknown', left out: {unknown.sum():,} of {paths.len():,}"
        )
    return paths.list.eval(known).list.join(CATEGORY_SEPARATOR)


def _attributes(check: TableCheck) -> pl.Series:
    """name=value pairs with '; ' between them."""
    attributes = check.text("attributes", ATTRIBUTES * (ATTRIBUTE_NAME_LENGTH + ITEM_ATTRIBUTE_LENGTH))
    pairs = attributes.str.split(";").list.eval(pl.element().str.strip_chars().filter(pl.element() != ""))
    well_formed = f"^[^=]{{1,{ATTRIBUTE_NAME_LENGTH}}}=.{{1,{ITEM_ATTRIBUTE_LENGTH}}}$"
    wrong = ~pairs.list.eval(pl.element().str.contains(well_formed)).list.all() | (pairs.list.len() > ATTRIBUTES)
    check.flag("attributes", wrong, f"is not at most {ATTRIBUTES} of the form name=value with '; ' between", attributes)
    return pairs.list.join("; ")


def _users(check: TableCheck) -> pl.DataFrame:
    file, attributes = check.table.file, [name for name in check.table.frame.columns if name != "user_id"]
    if len(attributes) > ATTRIBUTES:
        check.problems.append(
            Problem(file, None, None, f"has {len(attributes)} attributes, at most {ATTRIBUTES} may be")
        )
    for name in attributes:
        if not 0 < len(name) <= ATTRIBUTE_NAME_LENGTH or not name.isprintable():
            message = f"an attribute's name has 1 to {ATTRIBUTE_NAME_LENGTH} characters, no control characters"
            check.problems.append(Problem(file, None, name, message))
    return pl.DataFrame(
        [check.ids("user_id", ID_LENGTH, unique=True)]
        + [check.text(name, ATTRIBUTE_LENGTH, numbers=True) for name in attributes]
    )


def _of_known_items(check: TableCheck, events: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Drops and counts a few events of items that are not in the catalogue; many are problems."""
    item_ids = events["item_id"]
    known = items["item_id"].drop_nulls()
    if known.is_empty():
        return events  # the catalogue has a worse problem, which is listed
    unknown = ~item_ids.is_in(known.implode()).fill_null(True)
    if unknown.sum() > UNKNOWN_ITEMS_SHARE * events.height:
        check.flag("item_id", unknown & (item_ids.str.strip_chars() != ""), "is not in the items table", item_ids)
    elif unknown.any():
        what = "events of items that are not in the items table, dropped"
        check.notes.append(f"{what}: {unknown.sum():,} of {events.height:,}")
    return events.filter(~unknown)


def _note_unread_columns(check: TableCheck, columns: tuple[str, ...]) -> None:
    unread = [shown(name) for name in check.table.frame.columns if name not in columns]
    if unread:
        check.notes.append(f"{check.table.file}: columns that are not read: {', '.join(unread)}")


def _fingerprint(*frames: pl.DataFrame) -> str:
    """Joined by control characters, which no checked text holds, so that no two contents look alike."""
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


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.data", description="Checks a shop's tables.")
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and perhaps users")
    folder = parser.parse_args(arguments).data
    try:
        shop = read_shop(folder)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    # Names and notes hold the shop's own words: no markup may be read into them.
    console = Console(markup=False, highlight=False)
    console.print(f"events       {shop.events.height:,} by {shop.events['user_id'].n_unique():,} users")
    for event_type, count in shop.events["event_type"].value_counts(sort=True).iter_rows():
        console.print(f"             {count:,} {event_type}")
    times = shop.events["timestamp"]
    console.print(f"time         {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}")
    console.print(f"items        {shop.items.height:,}, {shop.events['item_id'].n_unique():,} of them with events")
    console.print(f"users        {shop.users.height:,} with a profile of {shop.users.width - 1} attributes")
    console.print(f"fingerprint  {shop.fingerprint}")
    for note in shop.notes:
        console.print(f"note         {note}", soft_wrap=True)
    return 0
