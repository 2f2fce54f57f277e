"""The errors that training raises on purpose.

RecsvcError
├── DataError            the input cannot be trained on; lists every problem
├── ExportError          events cannot be exported to a folder
└── TrackingError        a finished run could not be sent to MLflow
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from recsvc.errors import RecsvcError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input table.

    Attributes:
        file: The name of the file.
        row: The row as a person finds it: in a .csv file the line, where the header is usually line 1; in a .parquet
            file the data row, from 1. None if the problem is not in one row.
        column: None if the problem is not in one column.
        message: What is wrong.
    """

    file: str
    row: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"{'line' if PurePath(self.file).suffix == '.csv' else 'row'} {self.row}")
        if self.column is not None:
            place.append(f"column {shown(self.column)}")
        return f"{', '.join(place)}: {self.message}"


class DataError(RecsvcError):
    """The input cannot be trained on. Lists all problems, so that the shop can fix them together."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the input cannot be trained on:\n{listed}")


class ExportError(RecsvcError):
    """The folder cannot be written to, or another export is writing to it."""


class TrackingError(RecsvcError):
    """A finished run could not be sent to MLflow. The bundle is complete."""


def shown(value: object, length: int = 60) -> str:
    """A value from the input, safe to print: at most `length` characters, and no control characters."""
    text = str(value)
    text = text if len(text) <= length else f"{text[: length - 3]}..."
    return text if text.isprintable() else ascii(text)
