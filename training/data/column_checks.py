"""Checks one table column by column, and gives each column one type. Collects every problem instead of stopping."""

import datetime as dt
from collections.abc import Collection

import polars as pl

from training.data.tables import EXAMPLES, Table
from training.data.timestamps import parse_iso
from training.errors import Problem, shown

TIMESTAMP = pl.Datetime("us", "UTC")
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
CONTROL_CHARACTER = r"\p{Cc}"


class TableCheck:
    """The checks of one table.

    Each method returns a column of the table's height, with the documented name and type, whatever the input holds. The
    columns may be used only if `problems` is empty at the end.

    Attributes:
        table: The table.
        problems: Every problem so far.
        notes: Facts that are worth knowing and no reason to stop.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        if table.blank_lines:
            self.notes.append(f"blank lines, left out: {table.blank_lines:,}")

    def ids(self, column: str, limit: int) -> pl.Series:
        """A required column of ids: String.

        An id may not be empty, longer than `limit` characters or hold control characters.
        """
        ids = self._strings(column, required=True)
        if ids is None:
            return self._nulls(column, pl.String)
        empty = ids.fill_null("").str.strip_chars() == ""
        self.flag(column, empty, "is empty")
        self._check_text(ids, limit)
        return ids

    def text(self, column: str, limit: int, *, required: bool = False, numbers: bool = False) -> pl.Series:
        """A column of stripped text: String, '' where it is missing.

        Args:
            column: Its name.
            limit: Characters, at most.
            required: Whether the column must be there.
            numbers: Whether a typed column of numbers or booleans is read as text.
        """
        text = self._strings(column, required=required, numbers=numbers)
        if text is None:
            return self._nulls(column, pl.String).fill_null("")
        text = text.fill_null("").str.strip_chars()
        self._check_text(text, limit)
        return text

    def choice(self, column: str, words: Collection[str]) -> pl.Series:
        """A required column with one of these words in each row: String."""
        choice = self._strings(column, required=True)
        if choice is None:
            return self._nulls(column, pl.String)
        empty = choice.fill_null("") == ""
        self.flag(column, empty, "is empty")
        unknown = ~choice.is_in(list(words)) & ~empty
        self.flag(column, unknown, f"is not one of {', '.join(words)}", choice)
        return choice

    def numbers(self, column: str, *, positive: bool = False, most: float = float("inf")) -> pl.Series:
        """An optional column of finite numbers: Float64, null where it is missing. Numbers written as text are read.

        Args:
            column: Its name.
            positive: Whether 0 is refused, too. Negative numbers always are.
            most: The largest number allowed.
        """
        values = self._column(column)
        if values is None:
            return self._nulls(column, pl.Float64)
        if not (values.dtype.is_numeric() or values.dtype in (pl.String, pl.Null)):
            return self._wrong_type(values, "numbers", pl.Float64)
        text = values.str.strip_chars() if values.dtype == pl.String else values
        numbers = text.cast(pl.Float64, strict=False)
        if text.dtype == pl.String:
            self.flag(column, numbers.is_null() & (text != ""), "is not a number", values)
        self.flag(column, ~numbers.is_finite(), "is not finite", values)
        self.flag(column, numbers.is_finite() & (numbers < 0), "is negative", values)
        if positive:
            self.flag(column, numbers == 0, "is zero")
        self.flag(column, numbers.is_finite() & (numbers > most), f"is over {most:,.0f}", values)
        return numbers

    def timestamps(self, column: str) -> pl.Series:
        """A required column of times, from 1990 to a day ahead of now: Datetime('us', 'UTC').

        Text must be ISO 8601. Every row must name its offset from UTC, or none may name one; offsets may differ. Times
        without an offset, and a typed column without a zone, are read as UTC, and a note says so.
        """
        values = self._column(column, required=True)
        if values is None:
            return self._nulls(column, TIMESTAMP)
        if values.dtype == pl.String:
            instants = self._parsed(values)
        elif isinstance(values.dtype, pl.Datetime | pl.Date):
            zone = getattr(values.dtype, "time_zone", None)
            instants = values.cast(pl.Datetime("us")) if values.dtype == pl.Date else values.dt.cast_time_unit("us")
            instants = instants.dt.convert_time_zone("UTC") if zone else instants.dt.replace_time_zone("UTC")
            self.flag(column, values.is_null(), "is empty")
            if zone is None:
                self._note_no_zone(column)
        else:
            return self._wrong_type(values, "timestamps", TIMESTAMP)
        latest = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        self.flag(column, instants < EARLIEST, f"is before {EARLIEST.year}", values)
        self.flag(column, instants > latest, "is more than a day in the future", values)
        return instants

    def flag(self, column: str, wrong: pl.Series, message: str, values: pl.Series | None = None) -> None:
        """Turns a mask into problems: the first EXAMPLES one by one, the rest as a count.

        Args:
            column: The column that is wrong.
            wrong: bool, one value a row; null is False.
            message: What is wrong.
            values: Are quoted in the problems, which are printed and logged. Pass nothing personal: no user ids and no
                profiles.
        """
        wrong = wrong.fill_null(value=False)
        rows = self.table.rows.filter(wrong)
        examples = rows.head(EXAMPLES)
        values = values.filter(wrong).head(EXAMPLES) if values is not None else None
        for place, row in enumerate(examples):
            value = f": {shown(values[place])}" if values is not None else ""
            self.problems.append(Problem(self.table.file, row, column, f"{message}{value}"))
        if rows.len() > examples.len():
            self.problems.append(
                Problem(self.table.file, None, column, f"{message} in {rows.len() - examples.len():,} more rows")
            )

    def _parsed(self, text: pl.Series) -> pl.Series:
        text = text.str.strip_chars()
        empty = text.fill_null("") == ""
        self.flag(text.name, empty, "is empty")
        instants, offsets = parse_iso(text)
        self.flag(text.name, instants.is_null() & ~empty, "is not an ISO 8601 date or time", text)
        with_offset = instants.is_not_null() & offsets.is_not_null()
        without = instants.is_not_null() & offsets.is_null()
        if with_offset.sum() >= without.sum():
            self.flag(text.name, without, "names no offset from UTC, as most rows do", text)
        else:
            self.flag(text.name, with_offset, "names an offset from UTC, and most rows name none", text)
            self._note_no_zone(text.name)
        return instants

    def _note_no_zone(self, column: str) -> None:
        self.notes.append(f"{column} names no time zone and is read as UTC")

    def _check_text(self, text: pl.Series, limit: int) -> None:
        self.flag(text.name, text.str.len_chars() > limit, f"is longer than {limit:,} characters")
        self.flag(text.name, text.str.contains(CONTROL_CHARACTER), "has a control character")

    def _strings(self, column: str, *, required: bool = False, numbers: bool = False) -> pl.Series | None:
        values = self._column(column, required=required)
        if values is None or values.dtype == pl.String:
            return values
        is_plain = numbers and (values.dtype.is_numeric() or values.dtype == pl.Boolean)
        if is_plain or isinstance(values.dtype, pl.Categorical | pl.Enum | pl.Null):
            return values.cast(pl.String)
        self._wrong_type(values, "text", pl.String)
        return None

    def _column(self, column: str, *, required: bool = False) -> pl.Series | None:
        if column in self.table.frame.columns:
            return self.table.frame[column]
        if required:
            self.problems.append(Problem(self.table.file, None, column, "is missing"))
        return None

    def _wrong_type(self, values: pl.Series, required: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
        message = f"holds {values.dtype}, must hold {required}"
        self.problems.append(Problem(self.table.file, None, values.name, message))
        return self._nulls(values.name, dtype)

    def _nulls(self, column: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
        return pl.Series(column, [None], dtype=dtype).new_from_index(0, self.table.frame.height)
