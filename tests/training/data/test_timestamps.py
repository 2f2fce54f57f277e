"""Timestamps as text and as typed columns."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.data.shop_files import assert_same, good, place, problems, write
from training.data.shop import read_shop
from training.data.timestamps import parse_iso

# A day from the ends of Python's calendar: any offset fits. Local times have no zone.
FIRST_LOCAL_TIME = dt.datetime(1, 1, 2)  # noqa: DTZ001
LAST_LOCAL_TIME = dt.datetime(9999, 12, 30)  # noqa: DTZ001


def timed(tmp_path: Path, file_format: str, times: list[str]) -> Path:
    tables = good()
    tables["events"]["timestamp"] = times
    return write(tmp_path, file_format, tables)


@pytest.mark.parametrize(
    ("times", "hours"),
    [
        (["2024-05-01T12:00:00Z", "2024-05-01T13:00:00.5Z", "2024-05-01 14:00:00+00:00", "2024-05-01T15:00+0000"], 12),
        (["2024-05-01T12:00:00+02:00", "2024-05-01 13:00:00.5+0200", "2024-05-01T14:00+02", "2024-05-01T15:00+02"], 10),
        (
            [
                "2024-05-01T12:00:00-03:30",
                "2024-05-01T13:00:00.5-0330",
                "2024-05-01T14:00-0330",
                "2024-05-01T15:00-0330",
            ],
            15.5,
        ),
        (["2024-05-01T12:00", "2024-05-01 13:00:00.500", "2024-05-01 14:00:00.000000000", "2024-05-01 15:00:00"], 12),
    ],
)
def test_iso_8601_with_an_offset_is_converted_to_utc(tmp_path, file_format, times, hours):
    shop = read_shop(timed(tmp_path, file_format, times))
    first = dt.datetime(2024, 5, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hours)
    offsets = [dt.timedelta(0), dt.timedelta(hours=1, milliseconds=500), dt.timedelta(hours=2), dt.timedelta(hours=3)]
    assert shop.events["timestamp"].to_list() == [first + offset for offset in offsets]


def test_dates_without_a_time_are_midnight_utc_and_ties_keep_the_order_of_the_file(tmp_path, file_format):
    shop = read_shop(timed(tmp_path, file_format, ["2024-05-02", "2024-05-01", "2024-05-02", "2024-05-01"]))
    assert shop.events["timestamp"].to_list() == [dt.datetime(2024, 5, day, tzinfo=dt.UTC) for day in (1, 1, 2, 2)]
    assert shop.events.select("user_id", "item_id").rows() == [("007", "b"), ("8", "b"), ("007", "a"), ("8", "a")]
    assert f"events.{file_format}: timestamp names no time zone and is read as UTC" in shop.notes


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "01/05/2024",
        "2024-13-01",
        "2024-02-30",
        "2024-05-01T25:00:00",
        "1714564800",
        "2024-W18-3",
        "2024-05-01T12:00:00+99:00",
        "2024-05-01T12:00:00+01:75",
        "2024-05-01T12",
        "2024-05-01T12:00:00 CET",
    ],
)
def test_text_that_is_not_a_timestamp_is_a_problem(tmp_path, file_format, value):
    (problem,) = problems(timed(tmp_path, file_format, ["2024-05-01", "2024-05-01", value, "2024-05-01"]))
    assert (problem.row, problem.column) == (place(file_format, 3), "timestamp")
    assert problem.message == f"is not an ISO 8601 date or time: {value}"


@pytest.mark.parametrize(
    ("most", "other", "message"),
    [
        ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00", "names no offset from UTC, as most rows do"),
        ("2024-05-01T12:00:00+02:00", "2024-05-01", "names no offset from UTC, as most rows do"),
        ("2024-05-01T12:00:00", "2024-05-01T12:00:00Z", "names an offset from UTC, and most rows name none"),
    ],
)
def test_a_row_without_an_offset_beside_rows_with_one_is_a_problem(tmp_path, file_format, most, other, message):
    (problem,) = problems(timed(tmp_path, file_format, [most, other, most, most]))
    assert (problem.row, problem.column) == (place(file_format, 2), "timestamp")
    assert problem.message == f"{message}: {other}"


def test_rows_of_different_offsets_are_the_instants_that_they_name(tmp_path, file_format):
    times = ["2024-03-31T00:30:00+01:00", "2024-03-31T03:30:00+02:00", "2024-03-31T00:30Z", "2024-03-30T20:00:00-03:30"]
    shop = read_shop(timed(tmp_path, file_format, times))
    assert sorted(zip(shop.events["timestamp"].dt.strftime("%d %H:%M"), shop.events["user_id"], strict=True)) == [
        ("30 23:30", "007"),
        ("30 23:30", "8"),
        ("31 00:30", "8"),
        ("31 01:30", "007"),
    ]
    assert shop.notes == ("empty attributes in profiles: 1 of 4",)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/London"])
def test_a_typed_timestamp_column_is_converted_to_utc(tmp_path, unit, zone):
    folder = write(tmp_path, "parquet", good())
    path = folder / "events.parquet"
    column = pl.col("timestamp")
    typed = column.dt.convert_time_zone(zone) if zone else column.dt.replace_time_zone(None)
    pl.read_parquet(path).with_columns(typed.dt.cast_time_unit(unit)).write_parquet(path)
    shop = read_shop(folder)
    assert_same(shop, read_shop(write(tmp_path / "plain", "csv", good())))
    assert any("no time zone" in note for note in shop.notes) == (zone is None)


@pytest.mark.parametrize(("hours", "stops"), [(23, False), (25, True)])
def test_a_timestamp_is_a_problem_from_a_day_ahead_of_now(tmp_path, file_format, hours, stops):
    tables = good()
    tables["events"]["timestamp"][3] = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    folder = write(tmp_path, file_format, tables)
    if stops:
        assert [problem.row for problem in problems(folder)] == [place(file_format, 4)]
    else:
        assert read_shop(folder).events.height == 4


@given(
    st.datetimes(FIRST_LOCAL_TIME, LAST_LOCAL_TIME),
    st.none() | st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
)
def test_iso_8601_as_python_writes_it_is_read_as_the_same_time(local, minutes, separator):
    zone = None if minutes is None else dt.timezone(dt.timedelta(minutes=minutes))
    instants, offsets = parse_iso(pl.Series("time", [local.replace(tzinfo=zone).isoformat(separator)]))
    assert instants.to_list() == [local.replace(tzinfo=zone or dt.UTC).astimezone(dt.UTC)]
    assert offsets.to_list() == [minutes]
