"""Checks one table, column by column, and gives each column its one type. Never stops at the first problem."""

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

    Each method returns a column of the table's height, named and typed as documented, whatever the input holds; only
    when `problems` is empty at the end may the columns be used. `notes` holds what is worth knowing but stops nothing.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def ids(self, column: str, limit: int, *, unique: bool = False) -> pl.Series:
        """A required column of ids: String. None is empty, over-long or has control characters, and none is there twice
        if `unique`.
        """
        ids = self._strings(column, required=True)
        if ids is None:
            return self._nulls(column, pl.String)
        empty = ids.fill_null("").str.strip_chars() == ""
        self.flag(column, empty, "is empty")
        self._check_text(ids, limit)
        if unique:
            self.flag(column, ~ids.is_first_distinct() & ~empty, "is there in an earlier row")
        return ids

    def text(self, column: str, limit: int, *, required: bool = False, numbers: bool = False) -> pl.Series:
        """A column of text, stripped: String, '' where there is none. Unless `required`, all of it may be missing.

        `numbers`: a typed column of numbers or truth values is taken as text.
        """
        text = self._strings(column, required=required, numbers=numbers)
        if text is None:
            return self._nulls(column, pl.String).fill_null("")
        text = text.fill_null("").str.strip_chars()
        self._check_text(text, limit)
        return text

    def choice(self, column: str, known: Collection[str]) -> pl.Series:
        """A required column with one of the `known` words in each row: String."""
        choice = self._strings(column, required=True)
        if choice is None:
            return self._nulls(column, pl.String)
        empty = choice.fill_null("") == ""
        self.flag(column, empty, "is empty")
        unknown = ~choice.is_in(list(known)) & ~empty
        self.flag(column, unknown, f"is none of {', '.join(known)}", choice)
        return choice

    def numbers(self, column: str, *, positive: bool = False, most: float = float("inf")) -> pl.Series:
        """An optional column of finite numbers from 0 (over 0 if `positive`) to `most`: Float64, null where there is
        none. Numbers written as text are read.
        """
        given = self._column(column)
        if given is None:
            return self._nulls(column, pl.Float64)
        if not (given.dtype.is_numeric() or given.dtype in (pl.String, pl.Null)):
            return self._wrong_type(given, "numbers", pl.Float64)
        text = given.str.strip_chars() if given.dtype == pl.String else given
        numbers = text.cast(pl.Float64, strict=False)
        if text.dtype == pl.String:
            self.flag(column, numbers.is_null() & (text != ""), "is no number", given)
        self.flag(column, ~numbers.is_finite(), "is not finite", given)
        self.flag(column, numbers.is_finite() & (numbers < 0), "is negative", given)
        if positive:
            self.flag(column, numbers == 0, "is zero")
        self.flag(column, numbers.is_finite() & (numbers > most), f"is over {most:,.0f}", given)
        return numbers

    def timestamps(self, column: str) -> pl.Series:
        """A required column of instants, from 1990 to a day ahead: Datetime('us', 'UTC').

        Text must be ISO 8601, and either every row names the same offset from UTC or none names one. Without
        offsets, and in a typed column without a zone, the times are taken for UTC, and a note says so.
        """
        given = self._column(column, required=True)
        if given is None:
            return self._nulls(column, TIMESTAMP)
        if given.dtype == pl.String:
            instants = self._parsed(given)
        elif isinstance(given.dtype, pl.Datetime | pl.Date):
            zone = getattr(given.dtype, "time_zone", None)
            instants = given.cast(pl.Datetime("us")) if given.dtype == pl.Date else given.dt.cast_time_unit("us")
            instants = instants.dt.convert_time_zone("UTC") if zone else instants.dt.replace_time_zone("UTC")
            self.flag(column, given.is_null(), "is empty")
            if zone is None:
                self._note_no_zone(column)
        else:
            return self._wrong_type(given, "timestamps", TIMESTAMP)
        latest = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        self.flag(column, instants < EARLIEST, f"is before {EARLIEST.year}", given)
        self.flag(column, instants > latest, "is more than a day in the future", given)
        return instants

    def flag(self, column: str, wrong: pl.Series, message: str, values: pl.Series | None = None) -> None:
        """Turns a mask into problems: some one by one, with their values if given, the rest as a count. Null is False.

        Give no values that are personal, user ids and profiles above all: the problems are printed and logged.
        """
        wrong = wrong.fill_null(False)
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
        self.flag(text.name, instants.is_null() & ~empty, "is no ISO 8601 date or time", text)
        parsed = offsets.filter(instants.is_not_null())
        if parsed.is_empty():
            return instants
        usual = parsed.value_counts().sort("count", parsed.name, descending=True)[parsed.name][0]
        name = "none" if usual is None else f"{'-' if usual < 0 else '+'}{abs(usual) // 60:02}:{abs(usual) % 60:02}"
        other = instants.is_not_null() & offsets.ne_missing(pl.Series([usual], dtype=pl.Int32))
        self.flag(text.name, other, f"is not of the time zone of most rows ({name})", text)
        if usual is None:
            self._note_no_zone(text.name)
        return instants

    def _note_no_zone(self, column: str) -> None:
        self.notes.append(f"{self.table.file}: {column} names no time zone and is taken for UTC")

    def _check_text(self, text: pl.Series, limit: int) -> None:
        self.flag(text.name, text.str.len_chars() > limit, f"is over {limit:,} characters")
        self.flag(text.name, text.str.contains(CONTROL_CHARACTER), "has a control character")

    def _strings(self, column: str, *, required: bool = False, numbers: bool = False) -> pl.Series | None:
        given = self._column(column, required=required)
        if given is None or given.dtype == pl.String:
            return given
        plain = numbers and (given.dtype.is_numeric() or given.dtype == pl.Boolean)
        if plain or isinstance(given.dtype, pl.Categorical | pl.Enum | pl.Null):
            return given.cast(pl.String)
        self._wrong_type(given, "text", pl.String)
        return None

    def _column(self, column: str, *, required: bool = False) -> pl.Series | None:
        if column in self.table.frame.columns:
            return self.table.frame[column]
        if required:
            self.problems.append(Problem(self.table.file, None, column, "is missing"))
        return None

    def _wrong_type(self, given: pl.Series, wanted: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
        message = f"holds {given.dtype}, must hold {wanted}"
        self.problems.append(Problem(self.table.file, None, given.name, message))
        return self._nulls(given.name, dtype)

    def _nulls(self, column: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
        return pl.Series(column, [None], dtype=dtype).new_from_index(0, self.table.frame.height)
