"""Reads a shop's own search log: what people typed, and which items they then opened or bought.

The table is `searches.parquet` or `searches.csv` in the shop's folder, one row for each chosen item:

    query      what was typed, 1 to 500 characters
    item_id    an item that was opened or bought from the results

Other columns are not read. Rows of items that are not in the catalogue are left out and counted.
"""

from pathlib import Path

import numpy as np
import polars as pl

from recsvc.model.catalogue import Catalogue
from training.data.column_checks import TableCheck
from training.data.shop import ID_LENGTH
from training.data.tables import read_table
from training.errors import DataError
from training.search_evaluation.queries import SearchQuery

TABLE = "searches"
QUERY_LENGTH = 500  # characters, as in the contract in protos/


def read_search_log(folder: Path, catalogue: Catalogue, n: int, seed: int) -> tuple[list[SearchQuery], int]:
    """Reads the log of a shop.

    All rows with the same query, whatever its case and spaces, are one query; every item that was chosen after it is
    relevant. Frequent queries are drawn first: at most `n`, with chances in proportion to their rows.

    Args:
        folder: The shop's folder.
        catalogue: The items.
        n: Queries, at most.
        seed: Of the draw.

    Returns:
        The queries, none if the shop has no log; and how many rows were left out.

    Raises:
        DataError: The log cannot be read. Lists every problem.
    """
    table = read_table(folder, TABLE, required=False)
    if table is None:
        return [], 0
    check = TableCheck(table)
    rows = pl.DataFrame(
        {"query": check.text("query", QUERY_LENGTH, required=True), "item_id": check.ids("item_id", ID_LENGTH)}
    )
    check.flag("query", rows["query"] == "", "is empty")
    if check.problems:
        raise DataError(check.problems)
    row_of = pl.DataFrame({"item_id": [item.item_id for item in catalogue.items]}).with_row_index("row")
    known = rows.join(row_of, on="item_id", maintain_order="left")
    spaces = known["query"].str.to_lowercase().str.replace_all(r"\s+", " ")
    searches = (
        known.with_columns(query=spaces)
        .group_by("query", maintain_order=True)
        .agg(relevant=pl.col("row").unique().sort(), rows=pl.len())
    )
    if searches.height > n:
        share = searches["rows"].to_numpy() / searches["rows"].sum()
        searches = searches[np.sort(np.random.default_rng(seed).choice(searches.height, n, replace=False, p=share))]
    queries = [
        SearchQuery(text, np.array(relevant, np.int32), "search log")
        for text, relevant in searches.select("query", "relevant").iter_rows()
    ]
    return queries, rows.height - known.height
