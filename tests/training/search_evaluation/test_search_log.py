"""A shop's own search log becomes queries, whatever its file format, and a damaged one is refused."""

from pathlib import Path

import polars as pl
import pytest

from recsvc.domain.shop import Item
from recsvc.model.catalogue import Catalogue
from training.errors import DataError
from training.search_evaluation.search_log import logged_queries, read_search_log

CATALOGUE = Catalogue([Item("i0", "Boots"), Item("i1", "Tent"), Item("i2", "Mug")])


def write(folder: Path, file_format: str, rows: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(rows, schema=["query", "item_id"], orient="row")
    if file_format == "csv":
        frame.write_csv(folder / "searches.csv")
    else:
        frame.write_parquet(folder / "searches.parquet")


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_rows_of_one_query_are_one_query_whatever_case_and_spaces(file_format: str, tmp_path: Path):
    write(tmp_path, file_format, [("Hill  boots", "i0"), ("mug", "i2"), ("hill boots ", "i1"), ("hill boots", "i0")])
    queries, left_out = logged_queries(read_search_log(tmp_path), CATALOGUE, 10, seed=0)
    assert {query.text: query.relevant.tolist() for query in queries} == {"hill boots": [0, 1], "mug": [2]}
    assert left_out == 0


def test_items_that_are_gone_are_left_out_and_counted(tmp_path: Path):
    write(tmp_path, "csv", [("mug", "gone"), ("mug", "i2"), ("vase", "gone")])
    queries, left_out = logged_queries(read_search_log(tmp_path), CATALOGUE, 10, seed=0)
    assert [query.text for query in queries] == ["mug"]
    assert left_out == 2


def test_long_log_is_drawn_by_seed_with_frequent_queries_first(tmp_path: Path):
    write(tmp_path, "csv", [("mug", "i2")] * 1_000 + [(f"query {n}", "i0") for n in range(20)])
    drawn = [logged_queries(read_search_log(tmp_path), CATALOGUE, 3, seed)[0] for seed in (0, 0, 1)]
    texts = [[query.text for query in queries] for queries in drawn]
    assert texts[0] == texts[1] != texts[2]
    assert all(len(queries) == 3 and "mug" in queries for queries in texts)


def test_shop_without_a_log_has_no_queries(tmp_path: Path):
    assert logged_queries(read_search_log(tmp_path), CATALOGUE, 10, seed=0) == ([], 0)


def test_damaged_log_is_refused_with_its_lines(tmp_path: Path):
    (tmp_path / "searches.csv").write_text("query,item_id\n ,i0\nmug,\n")
    with pytest.raises(DataError) as refused:
        logged_queries(read_search_log(tmp_path), CATALOGUE, 10, seed=0)
    assert [(problem.row, problem.column) for problem in refused.value.problems] == [(3, "item_id"), (2, "query")]
