"""The input contract: one shape for every format, all problems at once, defects of the data only counted."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsvc.errors import RecsvcError
from tests.training.data.shop_files import FORMATS, NOON, TYPES, assert_same, good, place, problems, write
from training.data.__main__ import main
from training.data.shop import read_shop
from training.errors import Problem

REAL_SHOPS = Path(__file__).parents[4] / "shared" / "data"  # beside the checkout

EVENT_TYPES = "purchase, view, add_to_cart, return, hide, impression"


def test_a_good_shop_has_one_shape_in_every_format(tmp_path, file_format):
    shop = read_shop(write(tmp_path, file_format, good()))
    expected = good()
    order = [0, 2, 1, 3]  # by time, the file's order at noon
    events = {name: [values[row] for row in order] for name, values in expected["events"].items()}
    events["quantity"] = [1.0, 2.5, 1.0, 1.0]
    schema = {name: TYPES.get(name, pl.String) for name in events}
    assert_frame_equal(shop.events, pl.DataFrame(events, schema=schema))
    items = expected["items"] | {
        "categories": ["Camping > Tents", "Screens", ""],
        "brand": ["Acme", "", "雅"],
        "currency": ["EUR", "EUR", ""],
        "attributes": ["colour=red; colour=blue", "", "age=18+"],
    }
    assert_frame_equal(shop.items, pl.DataFrame(items))
    assert_frame_equal(shop.users, pl.DataFrame(expected["users"] | {"country": ["UK", ""]}))
    assert shop.notes == ("empty attributes in profiles: 1 of 4",)


def test_a_shop_with_only_the_required_columns_and_no_users_is_read(tmp_path, file_format):
    tables = good()
    del tables["users"]
    for column in ("quantity", "price", "order_id"):
        del tables["events"][column]
    for column in ("categories", "brand", "price", "currency", "attributes"):
        del tables["items"][column]
    shop = read_shop(write(tmp_path, file_format, tables))
    assert shop.events.columns == ["user_id", "item_id", "timestamp", "event_type", "quantity", "price", "order_id"]
    assert shop.events["quantity"].to_list() == [1.0] * 4
    assert shop.events["price"].to_list() == shop.events["order_id"].to_list() == [None] * 4
    assert shop.events["price"].dtype == shop.items["price"].dtype == pl.Float64
    assert shop.items.columns == ["item_id", "title", "categories", "brand", "price", "currency", "attributes"]
    assert shop.items["categories"].to_list() == shop.items["brand"].to_list() == [""] * 3
    assert (shop.users.columns, shop.users.height) == (["user_id"], 0)
    assert shop.notes == ()


def test_a_shop_as_csv_and_as_parquet_is_the_same_shop(tmp_path):
    shops = [read_shop(write(tmp_path / file_format, file_format, good())) for file_format in FORMATS]
    assert_same(*shops)


@pytest.mark.parametrize(
    ("table", "column", "row", "value"),
    [
        ("events", "user_id", 0, "7"),
        ("events", "timestamp", 3, NOON + dt.timedelta(days=1, microseconds=1)),
        ("events", "quantity", 0, 2.0),
        ("events", "price", 0, None),
        ("events", "price", 2, None),
        ("items", "title", 0, "Tent, smal"),
        ("items", "price", 1, 0.0),
        ("users", "about", 1, ""),
    ],
)
def test_the_fingerprint_differs_where_one_value_differs(tmp_path, table, column, row, value):
    changed = good()
    changed[table][column][row] = value
    before, after = write(tmp_path / "a", "parquet", good()), write(tmp_path / "b", "parquet", changed)
    assert read_shop(before).fingerprint != read_shop(after).fingerprint


def test_the_fingerprint_differs_where_text_moves_to_the_next_row(tmp_path):
    one, other = good(), good()
    one["items"]["title"][:2] = ["ab", "c"]
    other["items"]["title"][:2] = ["a", "bc"]
    shops = [read_shop(write(tmp_path / str(n), "csv", tables)) for n, tables in enumerate((one, other))]
    assert shops[0].fingerprint != shops[1].fingerprint


def test_all_problems_of_all_files_are_listed_at_once(tmp_path, file_format):
    tables = good()
    tables["events"]["event_type"][3] = "gift"
    tables["events"]["quantity"][0] = -3.0
    del tables["items"]["title"]
    tables["items"]["price"][2] = float("inf")
    tables["users"]["about"][1] = "x" * 2001
    tables["users"]["user_id"][1] = "007"
    listed = problems(write(tmp_path, file_format, tables))
    assert {(p.file.split(".")[0], p.row, p.column, p.message) for p in listed} == {
        ("events", place(file_format, 4), "event_type", f"is not one of {EVENT_TYPES}: gift"),
        ("events", place(file_format, 1), "quantity", "is negative: -3.0"),
        ("items", None, "title", "is missing"),
        ("items", place(file_format, 3), "price", "is not finite: inf"),
        ("users", place(file_format, 2), "about", "is longer than 2,000 characters"),
        ("users", place(file_format, 2), "user_id", "is in an earlier row, too"),
    }
    assert len(listed) == 6


def test_problems_of_other_files_are_listed_beside_an_unreadable_file(tmp_path):
    tables = good()
    tables["events"]["quantity"][0] = 0.0
    (write(tmp_path, "csv", tables) / "items.csv").write_bytes(b"")
    assert [(problem.file, problem.row) for problem in problems(tmp_path)] == [("events.csv", 2), ("items.csv", None)]


def test_many_problems_of_one_kind_are_listed_up_to_20_and_then_counted(tmp_path, file_format):
    tables = good()
    tables["events"] = {column: values * 300 for column, values in tables["events"].items()}
    tables["events"]["price"] = [-1.0] * 1200
    listed = problems(write(tmp_path, file_format, tables))
    assert [problem.row for problem in listed[:20]] == [place(file_format, row) for row in range(1, 21)]
    assert listed[20:] == (Problem(f"events.{file_format}", None, "price", "is negative in 1,180 more rows"),)


def test_the_error_has_short_lines_and_no_user_data(tmp_path):
    tables = good()
    tables["users"]["user_id"] = ["secret-user", "secret-user"]
    tables["users"]["about"][1] = "my secret\x1b[31m"
    tables["events"]["event_type"][0] = "\x1b[2J" + "g" * 500
    with pytest.raises(RecsvcError) as caught:
        read_shop(write(tmp_path, "csv", tables))
    message = str(caught.value)
    assert message.startswith("the input cannot be trained on:\n  events.csv, line 2, column event_type: is not one of")
    assert "\n  users.csv, line 3, column user_id: is in an earlier row, too" in message
    assert "secret" not in message
    assert "\x1b" not in message
    assert max(len(line) for line in message.splitlines()) < 200


@pytest.mark.parametrize("name", ["", "n" * 65, "a\x1bb"])
def test_a_bad_attribute_name_is_a_problem(tmp_path, name):
    tables = good()
    tables["users"][name] = ["x", "y"]
    (problem,) = problems(write(tmp_path, "parquet", tables))
    assert (problem.file, problem.column) == ("users.parquet", name)
    assert "\x1b" not in str(problem)


def test_too_many_attributes_are_a_problem(tmp_path, file_format):
    tables = good()
    tables["users"] |= {f"a{n}": ["x", "y"] for n in range(31)}
    (problem,) = problems(write(tmp_path, file_format, tables))
    assert problem.message == "has 33 attributes; at most 32 are allowed"


def test_defects_of_the_data_are_counted_and_do_not_stop(tmp_path, file_format):
    hours = [NOON + dt.timedelta(hours=hour) for hour in range(8)]
    tables = {
        "events": {
            "user_id": ["u", "u", "u", "v", "v", "w", "w", "w"],
            "item_id": ["a", "a", "b", "a", "a", "c", "c", "c"],
            # u returns what was bought; v returns before buying; u returns b, never bought; w's line is repeated
            "timestamp": [*hours[:5], hours[6], hours[6], hours[7]],
            "event_type": ["purchase", "return", "return", "return", "purchase", "purchase", "purchase", "return"],
            "colour": ["red"] * 8,
        },
        "items": {
            "item_id": ["a", "b", "c", "d"],
            "title": ["  A ", None, " ", "D"],
            "brand": ["Unknown", "unknown", "Acme", None],
            "categories": ["Unknown > Tents >  > Small", "UNKNOWN", "A>B >", "Known > unknown things"],
        },
        "users": {"user_id": ["u", "x", "y"], "about": ["", "text", None], "age": ["1", "2", "3"]},
    }
    shop = read_shop(write(tmp_path, file_format, tables))
    assert shop.items["title"].to_list() == ["A", "", "", "D"]
    assert shop.items["brand"].to_list() == ["", "", "Acme", ""]
    assert shop.items["categories"].to_list() == ["Tents > Small", "", "A>B", "Known > unknown things"]
    assert shop.events.height == 8
    assert set(shop.notes) == {
        f"events.{file_format}: columns that are not read: colour",
        "events that repeat an earlier line exactly, kept: 1 of 8",
        "returns without an earlier purchase of the item by the user: 2 of 4",
        f"items.{file_format}: brands called 'Unknown', read as no brand: 2 of 4",
        f"items.{file_format}: category paths with a part called 'Unknown', left out: 2 of 4",
        f"items.{file_format}: category names with a '>', which separates only between spaces: 1 of 4",
        "items without a title: 2 of 4",
        "users without a profile: 2 of 3",
        "profiles without events: 2 of 3",
        "empty attributes in profiles: 2 of 6",
    }


@pytest.mark.parametrize("unknown", [1, 20, 500, 501, 1_000])
def test_events_of_deleted_items_are_counted_and_dropped_unless_they_are_most(tmp_path, file_format, unknown):
    tables = good()
    tables["events"] = {column: values * 250 for column, values in tables["events"].items()}
    tables["events"]["item_id"][:unknown] = ["z"] * unknown
    folder = write(tmp_path, file_format, tables)
    if unknown <= 500:
        shop = read_shop(folder)
        assert shop.events.height == 1_000 - unknown
        assert "z" not in shop.events["item_id"]
        fact = f"dropped: {unknown:,} of 1,000 (items: 1, such as z)"
        assert f"events of items that are not in the items table, {fact}" in shop.notes
    else:
        (problem,) = problems(folder)
        assert (problem.file, problem.column) == (f"events.{file_format}", "item_id")
        assert f"{unknown:,} of 1,000 (items: 1, such as z)" in problem.message
        assert "leave their events out" in problem.message


@pytest.mark.parametrize(
    ("currencies", "named"),
    [
        (["EUR", "JPY", "EUR"], "EUR 2, JPY 1"),
        (["EUR", "eur", None], "EUR 1, eur 1"),
        (["EUR", None, "EUR"], None),
        ([None, None, None], None),
    ],
)
def test_prices_in_several_currencies_are_noted(tmp_path, file_format, currencies, named):
    tables = good()
    tables["items"] |= {"currency": currencies, "price": [900.0, 150.0, 1.0]}
    notes = [note for note in read_shop(write(tmp_path, file_format, tables)).notes if "currenc" in note]
    assert len(notes) == (named is not None)
    assert all(f"prices are in several currencies ({named})" in note for note in notes)


def test_the_currency_of_an_item_without_a_price_is_not_noted(tmp_path):
    tables = good()
    tables["items"] |= {"currency": ["EUR", "JPY", "EUR"], "price": [900.0, None, 1.0]}
    assert not any("currenc" in note for note in read_shop(write(tmp_path, "csv", tables)).notes)


def test_the_command_prints_a_summary_or_the_problems(tmp_path, capsys):
    assert main(["--data", str(write(tmp_path / "good", "csv", good()))]) == 0
    summary = capsys.readouterr().out
    assert "4 by 2 users" in summary
    assert "2024-05-01 to 2024-05-02" in summary
    assert "empty attributes in profiles: 1 of 4" in summary
    tables = good()
    tables["events"]["quantity"][2] = -1.0
    assert main(["--data", str(write(tmp_path / "bad", "csv", tables))]) == 1
    output = capsys.readouterr()
    assert (output.out, "events.csv, line 4, column quantity: is negative: -1.0" in output.err) == ("", True)


@pytest.mark.parametrize(
    ("name", "events", "items", "users"),
    [
        ("online-retail", 805_828, 4_633, 5_875),
        ("amazon-beauty", 198_502, 12_101, 0),
        ("amazon-sports", 296_337, 18_357, 0),
        ("complete-journey", 99_422, 23_878, 801),
    ],
)
def test_the_real_shops_are_read(name, events, items, users):
    if not (REAL_SHOPS / name).is_dir():
        pytest.skip(f"the real shop {name} is not beside this checkout")
    shop = read_shop(REAL_SHOPS / name)
    assert (shop.events.height, shop.items.height, shop.users.height) == (events, items, users)
    assert shop.events["timestamp"].is_sorted()
    counted = any(note.startswith("events of items that are not in the items table") for note in shop.notes)
    assert counted == (name == "complete-journey")


def test_impressions_are_counted_and_left_out(tmp_path, file_format):
    tables = good()
    tables["events"]["event_type"][1] = "impression"
    shop = read_shop(write(tmp_path, file_format, tables))
    assert shop.events["event_type"].to_list() == ["purchase", "add_to_cart", "purchase"]
    assert "impressions, which do not show taste, left out: 1 of 4" in shop.notes
