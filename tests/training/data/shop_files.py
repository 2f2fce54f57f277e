"""A small shop as files in either format, and the problems of reading it. For the tests of the input contract."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from training.data.shop import Shop, read_shop
from training.errors import DataError, Problem

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
FORMATS = ("csv", "parquet")
TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": pl.Datetime("us", "UTC"),
    "quantity": pl.Float64,
    "price": pl.Float64,
}


def good() -> dict[str, dict[str, list]]:
    """Four events of two users with three items; row 1 is the first data row."""
    return {
        "events": {
            "user_id": ["007", "007", "8", "8"],
            "item_id": ["a", "b", "a", "b"],
            "timestamp": [NOON, NOON + dt.timedelta(hours=1), NOON, NOON + dt.timedelta(days=1)],
            "event_type": ["purchase", "view", "add_to_cart", "purchase"],
            "quantity": [1.0, None, 2.5, 1.0],
            "price": [9.99, None, 0.0, 3.0],
            "order_id": ["o1", None, None, "o2"],
        },
        "items": {
            "item_id": ["a", "b", "c"],
            "title": ["Tent, small", 'A 24" screen', "茶壶"],
            "categories": ["Camping > Tents", "Screens", None],
            "brand": ["Acme", None, "雅"],
            "price": [10.0, None, 0.5],
            "currency": ["EUR", "EUR", None],
            "attributes": ["colour=red;colour=blue; ", None, "age=18+"],
        },
        "users": {"user_id": ["007", "8"], "country": ["UK", None], "about": ["likes tea, and tents", "x"]},
    }


def write(folder: Path, file_format: str, tables: dict[str, dict[str, list]]) -> Path:
    """Writes the tables with the documented types, but leaves numbers and times that are given as text as text."""
    folder.mkdir(exist_ok=True)
    for name, columns in tables.items():
        schema = {
            column: pl.String if any(isinstance(value, str) for value in values) else TYPES.get(column, pl.String)
            for column, values in columns.items()
        }
        frame = pl.DataFrame(columns, schema=schema)
        if file_format == "csv":
            frame.write_csv(folder / f"{name}.csv")
        else:
            frame.write_parquet(folder / f"{name}.parquet")
    return folder


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(DataError) as caught:
        read_shop(folder)
    for problem in caught.value.problems:
        assert str(problem) in str(caught.value)
    return caught.value.problems


def place(file_format: str, row: int) -> int:
    return row + 1 if file_format == "csv" else row


def assert_same(left: Shop, right: Shop) -> None:
    assert_frame_equal(left.events, right.events)
    assert_frame_equal(left.items, right.items)
    assert_frame_equal(left.users, right.users)
    assert left.fingerprint == right.fingerprint
