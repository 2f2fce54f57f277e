"""When a table was written: by the oldest of its files, and never after now."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from training.data.table_time import written_at

LONG_AGO, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def write(path: Path, time: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time.timestamp(), time.timestamp()))


@pytest.mark.parametrize("file", ["items.csv", "items.parquet", "items/part-0.parquet", "items/day=1/part-0.parquet"])
def test_a_table_in_any_form_has_the_time_of_its_file(tmp_path: Path, file: str) -> None:
    write(tmp_path / file, LONG_AGO)
    write(tmp_path / "events.csv", LATER)
    assert written_at(tmp_path, "items") == LONG_AGO


def test_a_table_in_parts_is_as_old_as_its_oldest_part(tmp_path: Path) -> None:
    write(tmp_path / "items" / "a.parquet", LATER)
    write(tmp_path / "items" / "b.parquet", LONG_AGO)
    assert written_at(tmp_path, "items") == LONG_AGO


def test_a_table_with_a_time_ahead_was_written_now(tmp_path: Path) -> None:
    write(tmp_path / "items.csv", datetime.now(UTC) + timedelta(days=30))
    written = written_at(tmp_path, "items")
    assert written is not None
    assert timedelta(0) <= datetime.now(UTC) - written < timedelta(minutes=5)


def test_a_table_that_is_not_there_has_no_time(tmp_path: Path) -> None:
    assert written_at(tmp_path, "items") is None
