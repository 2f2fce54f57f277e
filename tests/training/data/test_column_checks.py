"""The checks of single columns: each kind of bad cell and bad column is a problem with its place."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.training.data.shop_files import good, place, problems, write
from training.data.shop import read_shop
from training.errors import Problem

# One bad cell at a time: table, column, data row, value, start of the message. Item c has no events, so a bad id of it
# makes no event of an unknown item.
BAD_CELLS = [
    ("events", "user_id", 2, None, "is empty"),
    ("events", "user_id", 3, "", "is empty"),
    ("events", "user_id", 1, "  ", "is empty"),
    ("events", "item_id", 2, None, "is empty"),
    ("items", "item_id", 3, None, "is empty"),
    ("users", "user_id", 2, None, "is empty"),
    ("items", "item_id", 3, "a", "is in an earlier row, too"),
    ("users", "user_id", 2, "007", "is in an earlier row, too"),
    ("events", "user_id", 2, "u" * 129, "is longer than 128 characters"),
    ("events", "order_id", 2, "o" * 129, "is longer than 128 characters"),
    ("items", "item_id", 3, "i" * 129, "is longer than 128 characters"),
    ("users", "user_id", 1, "u" * 129, "is longer than 128 characters"),
    ("events", "event_type", 4, "gift", "is not one of purchase, view, add_to_cart, return, hide, impression: gift"),
    (
        "events",
        "event_type",
        1,
        "Purchase",
        "is not one of purchase, view, add_to_cart, return, hide, impression: Purch",
    ),
    ("events", "event_type", 2, None, "is empty"),
    ("events", "timestamp", 2, None, "is empty"),
    ("events", "timestamp", 2, dt.datetime(1989, 12, 31, 23, 59, 59, tzinfo=dt.UTC), "is before 1990: 1989-12-31"),
    ("events", "timestamp", 2, dt.datetime(2200, 1, 1, tzinfo=dt.UTC), "is more than a day in the future: 2200-01-01"),
    ("events", "quantity", 2, -1.0, "is negative: -1.0"),
    ("events", "quantity", 2, 0.0, "is zero"),
    ("events", "quantity", 2, float("inf"), "is not finite: inf"),
    ("events", "quantity", 2, float("nan"), "is not finite: "),
    ("events", "quantity", 2, 1_000_001.0, "is over 1,000,000: 1000001.0"),
    ("events", "price", 2, -0.01, "is negative: -0.01"),
    ("events", "price", 2, float("-inf"), "is not finite: -inf"),
    ("items", "price", 3, -5.0, "is negative: -5.0"),
    ("items", "price", 3, float("nan"), "is not finite: "),
    ("items", "title", 2, "t" * 1001, "is longer than 1,000 characters"),
    ("items", "categories", 2, "c" * 1001, "is longer than 1,000 characters"),
    ("items", "brand", 2, "b" * 257, "is longer than 256 characters"),
    ("items", "currency", 2, "e" * 17, "is longer than 16 characters"),
    ("items", "attributes", 2, "colour", "must be at most 32 pairs name=value"),
    ("items", "attributes", 2, "=red", "must be at most 32 pairs name=value"),
    ("items", "attributes", 2, "; ".join(f"a{i}=b" for i in range(33)), "must be at most 32 pairs"),
    ("users", "about", 2, "a" * 2001, "is longer than 2,000 characters"),
    ("events", "user_id", 2, "a\x07b", "has a control character"),
    ("events", "order_id", 2, "a\tb", "has a control character"),
    ("items", "title", 2, "one\ntwo", "has a control character"),
    ("items", "title", 1, "one\x00two", "has a control character"),
    ("items", "categories", 2, "A\x1fB", "has a control character"),
    ("items", "brand", 2, "A\x1b[31m", "has a control character"),
    ("items", "currency", 2, "E\x7fR", "has a control character"),
    ("users", "about", 2, "a\x85b", "has a control character"),
]


@pytest.mark.parametrize("cell", BAD_CELLS, ids=lambda cell: f"{cell[1]} of {cell[0]} {cell[4]}")
def test_a_bad_cell_is_a_problem_with_its_place(tmp_path, file_format, cell):
    table, column, row, value, message = cell
    tables = good()
    tables[table][column][row - 1] = value
    (problem,) = problems(write(tmp_path, file_format, tables))
    assert (problem.file, problem.row, problem.column) == (f"{table}.{file_format}", place(file_format, row), column)
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("table", "column", "length"),
    [
        ("events", "user_id", 128),
        ("items", "title", 1000),
        ("items", "brand", 256),
        ("items", "categories", 1000),
        ("users", "about", 2000),
    ],
)
def test_text_at_its_limit_in_characters_is_read(tmp_path, file_format, table, column, length):
    tables = good()
    tables[table][column][1] = "茶" * length
    assert read_shop(write(tmp_path, file_format, tables)).items.height == 3


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (t, c)
        for t, c in [("events", "user_id"), ("events", "item_id"), ("events", "timestamp"), ("events", "event_type")]
    ]
    + [("items", "item_id"), ("items", "title"), ("users", "user_id")],
)
def test_a_missing_column_is_a_problem(tmp_path, file_format, table, column):
    tables = good()
    del tables[table][column]
    (problem,) = problems(write(tmp_path, file_format, tables))
    assert problem == Problem(f"{table}.{file_format}", None, column, "is missing")


@pytest.mark.parametrize(
    ("table", "column", "values", "message"),
    [
        ("events", "user_id", [7, 7, 8, 8], "holds Int64, must hold text"),
        ("items", "item_id", [1, 2, 3], "holds Int64, must hold text"),
        ("items", "categories", [["A", "B"], ["C"], []], "holds List(String), must hold text"),
        ("items", "title", [1.5, 2.5, 3.5], "holds Float64, must hold text"),
        ("events", "event_type", [1, 2, 3, 4], "holds Int64, must hold text"),
        ("events", "timestamp", [1, 2, 3, 4], "holds Int64, must hold timestamps"),
        ("events", "quantity", [True, True, False, True], "holds Boolean, must hold numbers"),
        ("users", "about", [b"x", b"y"], "holds Binary, must hold text"),
    ],
)
def test_a_parquet_column_of_the_wrong_type_is_a_problem(tmp_path, table, column, values, message):
    folder = write(tmp_path, "parquet", good())
    path = folder / f"{table}.parquet"
    pl.read_parquet(path).with_columns(pl.Series(column, values)).write_parquet(path)
    (problem,) = problems(folder)
    assert problem == Problem(f"{table}.parquet", None, column, message)


@pytest.mark.parametrize("value", ["many", "1,5", "1_000", "0x10", "1 2"])
@pytest.mark.parametrize(("table", "column"), [("events", "quantity"), ("events", "price"), ("items", "price")])
def test_text_that_is_not_a_number_is_a_problem(tmp_path, file_format, table, column, value):
    tables = good()
    tables[table][column] = ["1", value, " 2 ", "3e0"][: len(tables[table][column])]
    (problem,) = problems(write(tmp_path, file_format, tables))
    assert (problem.row, problem.column) == (place(file_format, 2), column)
    assert problem.message == f"is not a number: {value}"


def test_typed_attributes_and_categorical_columns_become_text(tmp_path):
    folder = write(tmp_path, "parquet", good())
    for table, columns in {
        "users": [pl.Series("age", [34, None]), pl.Series("member", [True, False])],
        "items": [pl.Series("brand", ["Acme", None, "雅"], dtype=pl.Categorical)],
        "events": [pl.Series("price", ["9.99", None, "0", "3.00"])],
    }.items():
        path = folder / f"{table}.parquet"
        pl.read_parquet(path).with_columns(columns).write_parquet(path)
    shop = read_shop(folder)
    assert shop.users["age"].to_list() == ["34", ""]
    assert shop.users["member"].to_list() == ["true", "false"]
    assert_frame_equal(shop.items, read_shop(write(tmp_path / "plain", "csv", good())).items)
    assert shop.events["price"].to_list() == [9.99, 0.0, None, 3.0]
