"""Reads a shop's three tables, checks all of them before anything is trained, and gives them one shape.

`python -m training.data --data DIR` only checks. The columns and limits are documented in training/README.md.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from recsvc.domain.shop import EventType
from training.data.column_checks import TableCheck
from training.data.data_quality import count_defects
from training.data.table_columns import ATTRIBUTES, event_columns, item_columns, user_columns
from training.data.table_time import written_at
from training.data.tables import SUFFIXES, empty_table, read_tables
from training.errors import DataError, Problem, shown

# A file in the folder of exported events. It holds a time, in microseconds since 1970 UTC: users who were erased before
# it have no events in the folder.
ERASURES_UNTIL = "erasures_until"
LISTS_FOLDER = "lists"  # beside the folder of exported events, with the exported lists
SEARCHES_TABLE = "searches"  # beside it, too: the exported searches, or the shop's own search log

EXPORTED = "events/partition-"  # begins the paths of the exported events

# Of the events, at most this share may be of items that are not in the catalogue. Shops delete products, and their
# events stay. With more, the tables are hardly of one shop.
MAX_UNKNOWN_ITEM_SHARE = 0.5
FILES_LISTED = 5  # of a table, with their problems; the others are counted

TABLES = ("events", "items", "users", SEARCHES_TABLE)  # the names of the files that are read
COLUMNS = {"events": event_columns, "items": item_columns, "users": user_columns}
REQUIRED_COLUMNS = {
    "events": ("user_id", "item_id", "timestamp", "event_type"),
    "items": ("item_id", "title"),
    "users": ("user_id",),
}


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
        items_written: See `training.data.table_time.written_at`; None without a table of items.
    """

    events: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    notes: tuple[str, ...]
    fingerprint: str
    erasures_until: int | None = None
    items_written: datetime | None = None


def read_shop(folder: Path) -> Shop:
    """Reads and checks the tables in `folder`.

    Raises:
        DataError: Lists every problem of every table.
    """
    if not folder.is_dir():
        raise DataError([Problem(shown(folder), None, None, "is not a folder")])
    items_written = written_at(folder, "items")  # before it is read: a table that changes meanwhile is not this one
    events, items, users = (_ReadTable(folder, name, columns) for name, columns in COLUMNS.items())
    tables = (events, items, users)
    for table in (items, users):
        table.flag_repeated_ids()
    if len(users.frame.columns) - 1 > ATTRIBUTES:
        users.add_problem(None, f"has {len(users.frame.columns) - 1} attributes; at most {ATTRIBUTES} are allowed")
    if items.was_read and items.frame.is_empty():
        items.add_problem(None, "has no rows")
    known = _drop_unknown_items(events, items) if items.was_read else events.frame
    erasures_until = _erasures_until(folder, events)
    if problems := [problem for table in tables for problem in table.listed_problems()]:
        raise DataError(problems)
    notes = [note for table in tables for note in table.notes()]
    if unread := sorted(path.name for path in folder.iterdir() if path.suffix in SUFFIXES and path.stem not in TABLES):
        notes.append(f"files that are not read: {', '.join(map(shown, unread))}")
    impressions = known["event_type"] == EventType.IMPRESSION.name.lower()
    if impressions.any():
        notes.append(f"impressions, which do not show taste, left out: {impressions.sum():,} of {known.height:,}")
    known = known.filter(~impressions).sort("timestamp", maintain_order=True)
    if known.is_empty():
        notes.append("there are no events: nothing can be learned from them, and nothing measured")
    notes += count_defects(known, items.frame, users.frame)
    fingerprint = _fingerprint(known, items.frame, users.frame)
    return Shop(known, items.frame, users.frame, tuple(notes), fingerprint, erasures_until, items_written)


class _ReadTable:
    """A table of one or more files, each checked on its own: their types may differ, their columns are then the same.

    Args:
        folder: Of the shop.
        name: Of the table.
        columns: Checks a file, and gives it the documented columns.
    """

    def __init__(self, folder: Path, name: str, columns: Callable[[TableCheck], pl.DataFrame]) -> None:
        self.name = name
        self._problems: list[Problem] = []
        self.more_notes: list[str] = []
        try:
            tables = read_tables(folder, name, required=name == "items")
        except DataError as error:
            tables, self._problems = [], list(error.problems)
        self.was_read = not self._problems
        self.checks = [TableCheck(table) for table in tables]
        # Without any file, the columns are those of an empty one.
        frames = [columns(check) for check in self.checks or [TableCheck(empty_table(name, REQUIRED_COLUMNS[name]))]]
        self.frame = pl.concat(frames, how="diagonal")
        if name == "users":  # an attribute that another file does not have
            self.frame = self.frame.with_columns(pl.exclude("user_id").fill_null(""))

    def flag_repeated_ids(self) -> None:
        """Flags each id of the first column that is in an earlier row of any file, too."""
        ids = self.frame[:, 0]
        repeated = ~ids.is_first_distinct() & (ids.str.strip_chars() != "")
        start = 0
        for check in self.checks:
            height = check.table.frame.height
            check.flag(ids.name, repeated.slice(start, height), "is in an earlier row, too")
            start += height

    def add_problem(self, column: str | None, message: str) -> None:
        """Adds a problem of the table as a whole."""
        file = self.checks[0].table.file if len(self.checks) == 1 else self.name
        self._problems.append(Problem(file, None, column, message))

    def listed_problems(self) -> list[Problem]:
        """All problems; those of many files only as far as FILES_LISTED."""
        wrong = [check for check in self.checks if check.problems]
        listed = [problem for check in wrong[:FILES_LISTED] for problem in check.problems]
        if (more := len(wrong) - FILES_LISTED) > 0:
            listed.append(Problem(f"{self.name}/", None, None, f"{more:,} more files have problems"))
        return self._problems + listed

    def notes(self) -> list[str]:
        """The facts that were noted, each once, with the file or the number of files."""
        files: dict[str, list[str]] = {}
        for check in self.checks:
            for note in check.notes:
                files.setdefault(note, []).append(check.table.file)
        named = {note: of[0] if len(of) == 1 else f"{len(of):,} files of {self.name}" for note, of in files.items()}
        return [*(f"{file}: {note}" for note, file in named.items()), *self.more_notes]


def _drop_unknown_items(events: _ReadTable, items: _ReadTable) -> pl.DataFrame:
    """Drops and counts the events of items that are not in the catalogue. If they are most events, it is a problem."""
    item_ids, catalogue_ids = events.frame["item_id"], items.frame["item_id"].drop_nulls()
    unknown = ~item_ids.is_in(catalogue_ids.implode()) & (item_ids.str.strip_chars() != "")
    unknown = unknown.fill_null(value=False)
    if catalogue_ids.is_empty() or not unknown.any():  # without a catalogue, that is the problem
        return events.frame
    dropped = item_ids.filter(unknown)
    count = f"{dropped.len():,} of {item_ids.len():,} (items: {dropped.n_unique():,}, such as {shown(dropped[0])})"
    if dropped.len() > MAX_UNKNOWN_ITEM_SHARE * item_ids.len():
        events.add_problem(
            "item_id",
            f"most events are of items that are not in the items table: {count}. Check that both tables are of one "
            "shop and day; add deleted items to the items table, or leave their events out",
        )
    events.more_notes.append(f"events of items that are not in the items table, dropped: {count}")
    return events.frame.filter(~unknown)


def _erasures_until(folder: Path, events: _ReadTable) -> int | None:
    """The time that `training.export_events` left, if every event comes from its files."""
    file = folder / "events" / ERASURES_UNTIL
    if not file.is_file():
        return None
    own = [check.table.file for check in events.checks if not check.table.file.startswith(EXPORTED)]
    if own:
        events.more_notes.append(
            f"users who were erased from the service may still be in {own[0]}: training.export_events did not write it"
        )
        return None
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    if not text.isdecimal():
        events.add_problem(None, f"{ERASURES_UNTIL} in the folder must hold a time: run training.export_events again")
        return None
    return int(text)


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
