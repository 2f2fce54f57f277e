"""Where a table lies and how it gets into memory: .parquet as it is, one file or a folder of parts; .csv as strings
with their line numbers.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training.errors import DataError, Problem

EXAMPLES = 20  # problems of one kind that are listed one by one; the rest are counted

QUOTING = "a field with a comma, a quotation mark or a line break stands in quotation marks, those inside it doubled"


@dataclass(frozen=True)
class Table:
    """One table as it was read. `rows` holds, for every row of `frame`, the number by which a person finds it."""

    file: str
    frame: pl.DataFrame
    rows: pl.Series
    blank_lines: int = 0


def read_table(folder: Path, name: str, *, required: bool = True) -> Table | None:
    """Reads `name`.parquet, `name`.csv or the .parquet files in a folder `name`; None when there is none of them and
    the table is not required.

    Raises DataError when the table is missing, is there twice, or cannot be read.
    """
    parts = sorted((folder / name).rglob("*.parquet"))
    found = [path for path in (folder / f"{name}.parquet", folder / f"{name}.csv") if path.exists()]
    if len(found) + bool(parts) > 1:
        ways = [path.suffix for path in found] + ["a folder"] * bool(parts)
        raise DataError([Problem(name, None, None, f"is there as {' and as '.join(ways)}: remove one of them")])
    if parts:
        return _read_parquet(f"{name}/", parts)
    if not found and required:
        raise DataError([Problem(name, None, None, f"is missing: neither {name}.parquet nor {name}.csv is there")])
    if not found:
        return None
    return _read_csv(found[0]) if found[0].suffix == ".csv" else _read_parquet(found[0].name, found)


def _read_parquet(file: str, paths: list[Path]) -> Table:
    try:
        frame = pl.read_parquet(paths, glob=False, hive_partitioning=False)
    # A damaged file can make the reader panic, which is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise DataError([Problem(file, None, None, f"cannot be read as Parquet: {reason}")]) from error
    return Table(file, frame, pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True))


def _read_csv(path: Path) -> Table:
    """Everything as strings: only the checks know what a column should be, and an id keeps its leading zeros.

    The file is read twice. The lines alone tell which line each record starts on, and which lines have too few
    fields: the CSV reader would fill those up with nulls and say nothing.
    """
    header_line, header = _header(path)
    try:
        lines = pl.read_lines(path, glob=False).to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError([_unreadable(path)]) from error
    lines = lines.slice(header_line)
    quotes = lines.str.count_matches('"', literal=True)
    starts = (quotes.cum_sum().shift(1, fill_value=0) % 2) == 0  # an odd number before it: inside a quoted field
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
    """The header's line, 1 unless blank lines come first, and its fields."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = 0
            for text in file:
                line += 1
                if text.strip("\r\n"):
                    header = next(csv.reader([text]))
                    break
            else:
                raise DataError([Problem(path.name, None, None, "is empty: not even a header")])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError([_unreadable(path)]) from error
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise DataError([Problem(path.name, line, None, "separates its fields by something else than commas")])
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError([Problem(path.name, line, name, "is there more than once") for name in twice])
    return line, header


def _unreadable(path: Path) -> Problem:
    """Why a .csv file could not be taken in, with the line where its encoding breaks."""
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
