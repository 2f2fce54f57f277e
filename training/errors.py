"""What training raises on purpose.

RecsvcError
├── DataError            the input cannot be trained on; lists every problem found
├── ExportError          events cannot be exported there
└── TrackingError        a finished run could not be told to MLflow
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from recsvc.errors import RecsvcError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input table.

    row: as a person finds it. In a .csv file the line, the header being line 1 as a rule; in a .parquet file the data
    row, from 1. None: the problem is not one row's. column: None when the problem is not one column's.
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
    """The input cannot be trained on. All problems are listed, so the shop mends them in one go."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the input cannot be trained on:\n{listed}")


class ExportError(RecsvcError):
    """The folder cannot be used, or another export is writing to it."""


class TrackingError(RecsvcError):
    """A finished run could not be told to MLflow. The bundle is as it would be without."""


def shown(value: object, length: int = 60) -> str:
    """A value from the input as it may be printed: short, and unable to move a terminal's cursor."""
    text = str(value)
    text = text if len(text) <= length else f"{text[: length - 3]}..."
    return text if text.isprintable() else ascii(text)
