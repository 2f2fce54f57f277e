"""Files that are missing, damaged or written by other programs."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.data.shop_files import FORMATS, assert_same, good, problems, write
from training.data.shop import read_shop
from training.errors import Problem


def test_a_missing_folder_and_missing_tables_are_problems(tmp_path):
    (problem,) = problems(tmp_path / "nowhere")
    assert problem.message == "is not a folder"
    assert [(problem.file, problem.message) for problem in problems(tmp_path)] == [
        ("events", "is missing: there is no events.parquet and no events.csv"),
        ("items", "is missing: there is no items.parquet and no items.csv"),
    ]


@pytest.mark.parametrize("table", ["events", "items", "users"])
def test_a_table_in_both_formats_is_a_problem(tmp_path, table):
    write(tmp_path, "csv", good())
    write(tmp_path, "parquet", {table: good()[table]})
    assert problems(tmp_path) == (Problem(table, None, None, "exists as .parquet and as .csv: remove one of them"),)


def test_a_folder_of_parts_is_a_table(tmp_path):
    expected = read_shop(write(tmp_path / "whole", "parquet", good()))
    parts = write(tmp_path / "parts", "parquet", good())
    events = pl.read_parquet(parts / "events.parquet")
    for start in (0, 2):
        (parts / "events" / f"partition-{start}").mkdir(parents=True)
        events[start : start + 2].write_parquet(parts / "events" / f"partition-{start}" / "some.parquet")
    (problem,) = problems(parts)
    assert problem.message == "exists as .parquet and as a folder: remove one of them"
    (parts / "events.parquet").unlink()
    assert_same(read_shop(parts), expected)


def test_tables_may_differ_in_format(tmp_path):
    write(tmp_path, "csv", {"events": good()["events"]})
    write(tmp_path, "parquet", {name: good()[name] for name in ("items", "users")})
    assert read_shop(tmp_path).items.height == 3


@pytest.mark.parametrize("table", ["events", "items"])
def test_a_table_without_rows_is_a_problem(tmp_path, file_format, table):
    tables = good()
    tables[table] = {column: [] for column in tables[table]}
    assert problems(write(tmp_path, file_format, tables)) == (
        Problem(f"{table}.{file_format}", None, None, "has no rows"),
    )


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: b"no parquet", lambda data: data[: len(data) // 2]])
@pytest.mark.parametrize("table", ["events", "items", "users"])
def test_an_unreadable_parquet_file_is_a_problem(tmp_path, table, damage: Callable[[bytes], bytes]):
    path = write(tmp_path, "parquet", good()) / f"{table}.parquet"
    path.write_bytes(damage(path.read_bytes()))
    (problem,) = problems(tmp_path)
    assert problem.file == f"{table}.parquet"
    assert problem.message.startswith("cannot be read as Parquet: ")


@pytest.mark.parametrize(
    ("content", "row", "column", "message"),
    [
        (b"", None, None, "is empty: it has no header"),
        (b"\n\n", None, None, "is empty: it has no header"),
        (b"item_id,title\na,x\nb,caf\xe9\n", 3, None, "is not UTF-8: save the file as UTF-8"),
        ("item_id,title\na,x\n".encode("utf-16"), 1, None, "is not UTF-8: save the file as UTF-8"),
        (b"item_id;title\na;x\n", 1, None, "does not separate its fields by commas"),
        (b"item_id,title,title\na,x,y\n", 1, "title", "is in the header more than once"),
        (b"item_id,title\na,x\nb,y,z\n", 3, None, "has 3 fields, the header has 2"),
        (b"item_id,title\n\na,x\nb\n", 4, None, "has 1 fields, the header has 2"),
        (b'item_id,title\na,"x\n\ny"\nb\n', 5, None, "has 1 fields, the header has 2"),
        (b'item_id,title\na,x\nb,24" screen\nc,y\n', 3, None, "cannot be read as CSV, here or below"),
        (b'item_id,title\na,x\nb,"open\nc,y\n', 3, None, "cannot be read as CSV, here or below"),
        (b'item_id,title\na,x\nb,"y",z\n', None, None, "cannot be read as CSV, here or below"),
    ],
)
def test_an_unreadable_csv_file_is_a_problem_with_its_line(tmp_path, content, row, column, message):
    (write(tmp_path, "csv", good()) / "items.csv").write_bytes(content)
    (problem,) = problems(tmp_path)
    assert (problem.file, problem.row, problem.column) == ("items.csv", row, column)
    assert problem.message.startswith(message)


def test_csv_with_a_byte_order_mark_and_windows_line_ends_is_the_same_shop(tmp_path):
    plain = read_shop(write(tmp_path / "plain", "csv", good()))
    other = write(tmp_path / "other", "csv", good())
    for path in other.iterdir():
        lines = path.read_text().replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + lines.encode() + b"\r\n\r\n")
    shop = read_shop(other)
    assert_same(plain, shop)
    assert "items.csv: blank lines, left out: 2" in shop.notes


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20), min_size=3, max_size=3
    )
)
def test_any_text_is_the_same_from_csv_and_from_parquet(tmp_path, titles):
    tables = good()
    tables["items"]["title"] = titles
    csv, parquet = (read_shop(write(tmp_path / file_format, file_format, tables)) for file_format in FORMATS)
    assert_same(csv, parquet)
    assert [title.strip() for title in csv.items["title"]] == [title.strip() for title in titles]


def test_line_numbers_count_blank_lines_and_line_breaks_in_fields(tmp_path):
    write(tmp_path, "csv", good())
    (tmp_path / "items.csv").write_text('\nitem_id,title,price\n\na,"x\ny, ""z""\n",1\n\nb,y,-2\nb,"z",3\n')
    listed = {(problem.row, problem.column, problem.message) for problem in problems(tmp_path)}
    assert listed == {
        (4, "title", "has a control character"),
        (8, "price", "is negative: -2"),
        (9, "item_id", "is in an earlier row, too"),
    }
