"""Reads a shop's search log: what people typed, and which items they then opened or bought.

It is the folder `searches` that `training.export_events` wrote, or else a table of the shop's own,
`searches.parquet` or `searches.csv` in its folder, with one row for each chosen item:

    query      what was typed, 1 to 500 characters
    item_id    an item that was opened or bought from the results

Other columns are not read. Rows of items that are not in the catalogue are left out and counted.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsvc.domain.query import search_text
from recsvc.model.catalogue import Catalogue
from training.data.column_checks import TableCheck
from training.data.table_columns import ID_LENGTH
from training.data.tables import Table
from training.errors import DataError
from training.search_evaluation.exported_searches import is_exported, read_search_table, searches_with_outcome
from training.search_evaluation.queries import SearchQuery

QUERY_LENGTH = 500  # characters; the service's own searches have fewer
MIN_PEOPLE = 5  # who must have typed an exported query: one that few people typed can be personal
CHOSEN_HOURS = 24.0  # in which an item of an exported search must be opened or bought


@dataclass(frozen=True)
class SearchLog:
    """The search log of a shop.

    Attributes:
        own: A table of the shop's own; None without one.
        exported: The searches that the service exported, with their outcome; None without any.
    """

    own: Table | None
    exported: pl.DataFrame | None


def read_search_log(folder: Path) -> SearchLog:
    """Reads the log of a shop, each table once.

    Raises:
        DataError: A table cannot be read, or there are exported searches without exported events.
    """
    table = read_search_table(folder)
    if table is None or not is_exported(table):
        return SearchLog(table, None)
    return SearchLog(None, searches_with_outcome(table, folder, CHOSEN_HOURS))


def logged_queries(log: SearchLog, catalogue: Catalogue, n: int, seed: int) -> tuple[list[SearchQuery], int]:
    """Makes queries of a shop's search log.

    All rows with the same query, whatever its case and spaces, are one query; every item that was chosen after it is
    relevant. Frequent queries are drawn first: at most `n`, with chances in proportion to their rows.

    Args:
        log: See `read_search_log`.
        catalogue: The items.
        n: Queries, at most.
        seed: Of the draw.

    Returns:
        The queries, none if the shop has no log; and how many rows were left out.

    Raises:
        DataError: The shop's own table is damaged. Lists every problem.
    """
    if log.exported is not None:
        rows = _chosen_in_export(log.exported)
    elif log.own is not None:
        rows = _chosen_in_table(log.own)
    else:
        return [], 0
    row_of = pl.DataFrame({"item_id": [item.item_id for item in catalogue.items]}).with_row_index("row")
    known = rows.join(row_of, on="item_id", maintain_order="left")
    normalized = pl.Series("query", map(search_text, known["query"]), pl.String)
    searches = (
        known.with_columns(normalized)
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


def _chosen_in_table(table: Table) -> pl.DataFrame:
    """The query and the item of each row of a shop's own table. Raises DataError."""
    check = TableCheck(table)
    rows = pl.DataFrame(
        {"query": check.text("query", QUERY_LENGTH, required=True), "item_id": check.ids("item_id", ID_LENGTH)}
    )
    check.flag("query", rows["query"] == "", "is empty")
    if check.problems:
        raise DataError(check.problems)
    return rows


def _chosen_in_export(searches: pl.DataFrame) -> pl.DataFrame:
    """The query and each item that was opened, of the exported searches that enough people typed."""
    enough = pl.col("user_id").n_unique().over("query") >= MIN_PEOPLE
    return searches.filter(enough).select("query", item_id="opened").explode("item_id").drop_nulls()
