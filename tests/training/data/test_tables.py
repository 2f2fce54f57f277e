"""Files that are missing, damaged or written by other programs."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.data.shop_files import FORMATS, assert_same, good, problems, write
from training.data.shop import read_shop
from training.errors import Problem


def test_a_missing_folder_and_a_missing_catalogue_are_problems(tmp_path):
    (problem,) = problems(tmp_path / "nowhere")
    assert problem.message == "is not a folder"
    assert [(problem.file, problem.message) for problem in problems(tmp_path)] == [
        ("items", "is missing: there is no items.parquet, no items.csv and no folder items with such files"),
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
    (parts / "events.parquet").unlink()
    assert_same(read_shop(parts), expected)


def test_tables_may_differ_in_format(tmp_path):
    write(tmp_path, "csv", {"events": good()["events"]})
    write(tmp_path, "parquet", {name: good()[name] for name in ("items", "users")})
    assert read_shop(tmp_path).items.height == 3


def test_a_catalogue_without_rows_is_a_problem(tmp_path, file_format):
    tables = good()
    tables["items"] = {column: [] for column in tables["items"]}
    assert problems(write(tmp_path, file_format, tables)) == (
        Problem(f"items.{file_format}", None, None, "has no rows"),
    )


@pytest.mark.parametrize("events", ["header alone", "no table"])
def test_a_shop_without_events_is_read_with_a_note(tmp_path, file_format, events):
    tables = good()
    tables["events"] = {column: [] for column in tables["events"]}
    folder = write(tmp_path, file_format, tables)
    if events == "no table":
        (folder / f"events.{file_format}").rename(folder / f"Events.{file_format}")
    shop = read_shop(folder)
    assert (shop.events.height, shop.items.height) == (0, 3)
    assert shop.events.schema == read_shop(write(tmp_path / "whole", file_format, good())).events.schema
    assert "there are no events: nothing can be learned from them, and nothing measured" in shop.notes
    assert (f"files that are not read: Events.{file_format}" in shop.notes) == (events == "no table")


def cast(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The events as another program may write them."""
    columns = {
        "narrow numbers": pl.col("quantity").fill_null(1).cast(pl.Int32),
        "wide numbers": pl.col("price").cast(pl.Decimal(10, 2)),
        "milliseconds": pl.col("timestamp").dt.cast_time_unit("ms"),
        "nanoseconds of a zone": pl.col("timestamp").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ns"),
        "no zone": pl.col("timestamp").dt.replace_time_zone(None),
        "text": pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "dictionary": pl.col("event_type", "item_id").cast(pl.Categorical),
        "empty column": pl.lit(None).alias("order_id"),
        "more columns": pl.lit(7).alias("recommendation_id"),
    }
    return frame.drop("order_id", "price") if name == "fewer columns" else frame.with_columns(columns[name])


@pytest.mark.parametrize(
    "difference",
    [
        *("narrow numbers", "wide numbers", "milliseconds", "nanoseconds of a zone", "no zone", "text", "dictionary"),
        *("empty column", "more columns", "fewer columns"),
    ],
)
@pytest.mark.parametrize("own", ["events.parquet", "events/past.parquet", "events.csv", "events/past.csv"])
def test_a_shops_own_events_are_read_with_exported_parts_of_other_types(tmp_path, difference, own):
    folder = write(tmp_path, "parquet", good())
    events = pl.read_parquet(folder / "events.parquet")
    (folder / "events.parquet").unlink()
    part = folder / "events" / "partition-03"
    part.mkdir(parents=True)
    exported = events[2:].with_columns(pl.Series("event_id", ["x", "y"]), pl.lit(None, pl.String).alias("list"))
    exported.write_parquet(part / "1-0.parquet")
    exported.clear().cast(pl.Null).write_parquet(part / "2-0.parquet")
    past = cast(events[:2], difference)
    past.write_parquet(folder / own) if own.endswith("parquet") else past.write_csv(folder / own)
    shop = read_shop(folder)
    columns = ["user_id", "item_id", "timestamp", "event_type"]
    expected = events.sort("timestamp", maintain_order=True)[columns].cast({"timestamp": pl.Datetime("us", "UTC")})
    assert shop.events[columns].sort(columns).equals(expected.sort(columns))
    assert shop.events["quantity"].sort().to_list() == [1.0, 1.0, 1.0, 2.5]
    assert "2 files of events: columns that are not read: event_id, list" in shop.notes


def test_ids_as_numbers_are_a_problem_in_the_part_that_has_them(tmp_path):
    folder = write(tmp_path, "parquet", good())
    (folder / "events").mkdir()
    part = pl.read_parquet(folder / "events.parquet").with_columns(user_id=pl.Series([7, 7, 8, 8], dtype=pl.Int32))
    part.write_parquet(folder / "events" / "past.parquet")
    assert problems(folder) == (Problem("events/past.parquet", None, "user_id", "holds Int32, must hold text"),)


def test_an_item_that_is_in_two_files_is_a_problem_of_the_second(tmp_path):
    folder = write(tmp_path, "csv", good())
    (folder / "items").mkdir()
    (folder / "items" / "more.csv").write_text("item_id,title\nd,Pan\nb,Screen\n")
    assert problems(folder) == (Problem("items/more.csv", 3, "item_id", "is in an earlier row, too"),)


def test_profiles_of_files_with_other_attributes_are_one_table(tmp_path):
    folder = write(tmp_path, "csv", good())
    (folder / "users").mkdir()
    (folder / "users" / "more.csv").write_text("user_id,age\n9,41\n")
    users = read_shop(folder).users
    assert users.row(0, named=True) == {"user_id": "007", "country": "UK", "about": "likes tea, and tents", "age": ""}
    assert users.row(2, named=True) == {"user_id": "9", "country": "", "about": "", "age": "41"}


def test_problems_of_many_files_are_listed_for_five_and_then_counted(tmp_path):
    folder = write(tmp_path, "csv", good())
    (folder / "events").mkdir()
    for number in range(8):
        (folder / "events" / f"{number}.csv").write_text("user_id,item_id,timestamp,event_type\nu,a,today,view\n")
    listed = [(problem.file, problem.row) for problem in problems(folder)]
    assert listed == [*((f"events/{number}.csv", 2) for number in range(5)), ("events/", None)]


@pytest.mark.parametrize("own", [None, "events.parquet", "events/past.parquet"])
def test_erasures_are_known_only_if_every_event_was_exported(tmp_path, own):
    folder = write(tmp_path, "parquet", good())
    part = folder / "events" / "partition-00"
    part.mkdir(parents=True)
    events = folder / "events.parquet"
    (part / "1-0.parquet").write_bytes(events.read_bytes())
    (folder / "events" / "erasures_until").write_text("1700000000000000\n")
    if own is None:
        events.unlink()
    else:
        events.rename(folder / own)
    shop = read_shop(folder)
    assert shop.erasures_until == (1_700_000_000_000_000 if own is None else None)
    assert any(str(own) in note and "erased" in note for note in shop.notes) == (own is not None)
    (folder / "events" / "erasures_until").write_text("soon")
    if own is None:
        (problem,) = problems(folder)
        assert "run training.export_events again" in problem.message


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
