"""Finds and reads a table: a .parquet file or a folder of them with their types, a .csv file as strings."""

import csv
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training.errors import DataError, Problem

EXAMPLES = 20  # problems of one kind that are listed one by one; the others are counted

QUOTING = "a field with a comma, a quotation mark or a line break needs quotation marks; double those inside it"


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        file: Its name.
        frame: The rows.
        rows: For each row, the number by which a person finds it in the file.
        blank_lines: How many were left out.
    """

    file: str
    frame: pl.DataFrame
    rows: pl.Series
    blank_lines: int = 0


def read_table(folder: Path, name: str, *, required: bool = True) -> Table | None:
    """Reads `name`.parquet, `name`.csv or the .parquet files in a folder `name`.

    Returns:
        The table; None if none of them exists and the table is not required.

    Raises:
        DataError: The table is missing, exists in two forms, or cannot be read.
    """
    parts = sorted((folder / name).rglob("*.parquet"))
    files = [path for path in (folder / f"{name}.parquet", folder / f"{name}.csv") if path.exists()]
    if len(files) + bool(parts) > 1:
        forms = [path.suffix for path in files] + ["a folder"] * bool(parts)
        raise DataError([Problem(name, None, None, f"exists as {' and as '.join(forms)}: remove one of them")])
    if parts:
        return _read_parquet(f"{name}/", parts)
    if not files and required:
        raise DataError([Problem(name, None, None, f"is missing: there is no {name}.parquet and no {name}.csv")])
    if not files:
        return None
    return _read_csv(files[0]) if files[0].suffix == ".csv" else _read_parquet(files[0].name, files)


def _read_parquet(file: str, paths: list[Path]) -> Table:
    try:
        frame = pl.read_parquet(paths, glob=False, hive_partitioning=False)
    # A damaged file can make the reader panic, and a panic is not an Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise DataError([Problem(file, None, None, f"cannot be read as Parquet: {reason}")]) from error
    return Table(file, frame, pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True))


def _read_csv(path: Path) -> Table:
    """Reads everything as strings: only the checks know the type of a column, and an id keeps its leading zeros.

    The file is read twice. Only its lines show where each record starts and which lines have too few fields: the CSV
    reader would fill those with nulls without a word.
    """
    header_line, header = _header(path)
    try:
        lines = pl.read_lines(path, glob=False).to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError([_unreadable(path)]) from error
    lines = lines.slice(header_line)
    quotes = lines.str.count_matches('"', literal=True)
    starts = (quotes.cum_sum().shift(1, fill_value=0) % 2) == 0  # after an odd number of quotes a field goes on
    numbers = pl.int_range(header_line + 1, header_line + 1 + lines.len(), dtype=pl.Int64, eager=True)

    fields = lines.str.count_matches(",", literal=True) + 1
    ragged = starts & (quotes == 0) & (lines != "") & (fields != len(header))
    problems = [
        Problem(path.name, line, None, f"has {count} fields, the header has {len(header)}")
        for line, count in zip(numbers.filter(ragged).head(EXAMPLES), fields.filter(ragged).head(EXAMPLES), strict=True)
    ]
    if (more := ragged.sum() - len(problems)) > 0:
        problems.append(Problem(path.name, None, None, f"{more:,} more lines have too many or too few fields"))
    if problems:
        raise DataError(problems)

    suspect = next(iter(numbers.filter(quotes % 2 == 1)), None)
    misquoted = Problem(path.name, suspect, None, f"cannot be read as CSV, here or below: {QUOTING}")
    try:
        frame = pl.read_csv(path, glob=False, infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError([misquoted]) from error
    if frame.height != starts.sum():
        raise DataError([misquoted])
    filled = (lines != "").filter(starts)
    return Table(
        path.name, frame.filter(filled), numbers.filter(starts).filter(filled), frame.height - int(filled.sum())
    )


def _header(path: Path) -> tuple[int, list[str]]:
    """The line of the header, which is 1 unless blank lines come first, and its fields."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = 0
            for text in file:
                line += 1
                if text.strip("\r\n"):
                    header = next(csv.reader([text]))
                    break
            else:
                raise DataError([Problem(path.name, None, None, "is empty: it has no header")])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError([_unreadable(path)]) from error
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise DataError([Problem(path.name, line, None, "does not separate its fields by commas")])
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError([Problem(path.name, line, name, "is in the header more than once") for name in repeated])
    return line, header


def _unreadable(path: Path) -> Problem:
    """Why a .csv file cannot be read: the line where its encoding breaks, if that is the reason."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return Problem(path.name, number, None, "is not UTF-8: save the file as UTF-8")
    except OSError as error:
        return Problem(path.name, None, None, f"cannot be read: {error.strerror}")
    return Problem(path.name, None, None, "cannot be read as CSV")
