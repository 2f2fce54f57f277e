"""Finds and reads the files of a table: .parquet files with their types, .csv files as strings."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training.errors import DataError, Problem

EXAMPLES = 20  # problems of one kind that are listed one by one; the others are counted

SUFFIXES = (".parquet", ".csv")  # of the files of a table

QUOTING = "a field with a comma, a quotation mark or a line break needs quotation marks; double those inside it"


@dataclass(frozen=True)
class Table:
    """A file of a table as it was read.

    Attributes:
        file: Its path in the folder of the shop.
        frame: The rows.
        rows: For each row, the number by which a person finds it in the file.
        blank_lines: How many were left out.
    """

    file: str
    frame: pl.DataFrame
    rows: pl.Series
    blank_lines: int = 0


def read_tables(folder: Path, name: str, *, required: bool = True) -> list[Table]:
    """Reads every file of a table: `name`.parquet or `name`.csv, and the files of both kinds in a folder `name`.

    Returns:
        A table for each file, the single one first and the others by path; none if the table is not required and does
        not exist.

    Raises:
        DataError: The table is missing, is there as .parquet and as .csv, or some of its files cannot be read. Lists
            all of these.
    """
    single = [path for path in (folder / f"{name}.parquet", folder / f"{name}.csv") if path.exists()]
    if len(single) > 1:
        raise DataError([Problem(name, None, None, "exists as .parquet and as .csv: remove one of them")])
    parts = sorted(path for path in (folder / name).rglob("[!.]*") if path.suffix in SUFFIXES and path.is_file())
    if required and not single and not parts:
        message = f"is missing: there is no {name}.parquet, no {name}.csv and no folder {name} with such files"
        raise DataError([Problem(name, None, None, message)])
    tables: list[Table] = []
    problems: list[Problem] = []
    for path in single + parts:
        try:
            tables.append(_read_csv(path, folder) if path.suffix == ".csv" else _read_parquet(path, folder))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)
    return tables


def read_table(folder: Path, name: str, *, required: bool = True) -> Table | None:
    """Reads a table whose files have the same columns, such as those that the service exported, as one.

    Returns:
        The table; None if it is not required and does not exist.

    Raises:
        DataError: As `read_tables` does, or its files have different columns.
    """
    tables = read_tables(folder, name, required=required)
    if len(tables) < 2:  # noqa: PLR2004 - nothing to join
        return tables[0] if tables else None
    return joined(f"{name}/", tables)


def read_exported_events(folder: Path) -> pl.DataFrame:
    """The events that the service exported, with the list that each came from. A shop's own files name no list.

    Raises:
        DataError: There are none.
    """
    exported = [table for table in read_tables(folder, "events") if "recommendation_id" in table.frame.columns]
    if not exported:
        raise DataError([Problem("events", None, "recommendation_id", "is missing: export the events of the service")])
    return joined("events/", exported).frame


def joined(file: str, tables: Sequence[Table]) -> Table:
    """Several files of the same columns as one table with this name. Raises DataError where the columns differ."""
    frames = [table.frame for table in tables]
    try:
        # The columns of an empty file may have any type.
        frame = pl.concat([frame for frame in frames if len(frame)] or frames[:1], how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise DataError([Problem(file, None, None, f"its files have different columns: {error}")]) from error
    return Table(file, frame, pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True))


def empty_table(name: str, columns: Sequence[str]) -> Table:
    """A table of these columns without rows, for a table that is not there."""
    return Table(name, pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), pl.Series(dtype=pl.Int64))


def _read_parquet(path: Path, folder: Path) -> Table:
    file = path.relative_to(folder).as_posix()
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    # A damaged file can make the reader panic, and a panic is not an Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise DataError([Problem(file, None, None, f"cannot be read as Parquet: {reason}")]) from error
    if frame.is_empty():  # its columns may have any type: there is nothing that could have been written wrongly
        frame = frame.cast(pl.String)
    return Table(file, frame, pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True))


def _read_csv(path: Path, folder: Path) -> Table:
    """Reads everything as strings: only the checks know the type of a column, and an id keeps its leading zeros.

    The file is read twice. Only its lines show where each record starts and which lines have too few fields: the CSV
    reader would fill those with nulls without a word.
    """
    file = path.relative_to(folder).as_posix()
    header_line, header = _header(path, file)
    try:
        lines = pl.read_lines(path, glob=False).to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError([_unreadable(path, file)]) from error
    lines = lines.slice(header_line)
    quotes = lines.str.count_matches('"', literal=True)
    starts = (quotes.cum_sum().shift(1, fill_value=0) % 2) == 0  # after an odd number of quotes a field goes on
    numbers = pl.int_range(header_line + 1, header_line + 1 + lines.len(), dtype=pl.Int64, eager=True)

    fields = lines.str.count_matches(",", literal=True) + 1
    ragged = starts & (quotes == 0) & (lines != "") & (fields != len(header))
    problems = [
        Problem(file, line, None, f"has {count} fields, the header has {len(header)}")
        for line, count in zip(numbers.filter(ragged).head(EXAMPLES), fields.filter(ragged).head(EXAMPLES), strict=True)
    ]
    if (more := ragged.sum() - len(problems)) > 0:
        problems.append(Problem(file, None, None, f"{more:,} more lines have too many or too few fields"))
    if problems:
        raise DataError(problems)

    suspect = next(iter(numbers.filter(quotes % 2 == 1)), None)
    misquoted = Problem(file, suspect, None, f"cannot be read as CSV, here or below: {QUOTING}")
    try:
        frame = pl.read_csv(path, glob=False, infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError([misquoted]) from error
    if frame.height != starts.sum():
        raise DataError([misquoted])
    filled = (lines != "").filter(starts)
    return Table(file, frame.filter(filled), numbers.filter(starts).filter(filled), frame.height - int(filled.sum()))


def _header(path: Path, file: str) -> tuple[int, list[str]]:
    """The line of the header, which is 1 unless blank lines come first, and its fields."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            line = 0
            for text in lines:
                line += 1
                if text.strip("\r\n"):
                    header = next(csv.reader([text]))
                    break
            else:
                raise DataError([Problem(file, None, None, "is empty: it has no header")])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError([_unreadable(path, file)]) from error
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise DataError([Problem(file, line, None, "does not separate its fields by commas")])
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError([Problem(file, line, name, "is in the header more than once") for name in repeated])
    return line, header


def _unreadable(path: Path, file: str) -> Problem:
    """Why a .csv file cannot be read: the line where its encoding breaks, if that is the reason."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return Problem(file, number, None, "is not UTF-8: save the file as UTF-8")
    except OSError as error:
        return Problem(file, None, None, f"cannot be read: {error.strerror}")
    return Problem(file, None, None, "cannot be read as CSV")
