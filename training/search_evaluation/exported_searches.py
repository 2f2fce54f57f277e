"""Reads the searches that `training.export_events` exported, with the items that people opened and bought from them."""

from pathlib import Path

import polars as pl

from recsvc.domain.shop import EventType
from training.data.bought import bought
from training.data.shop import SEARCHES_TABLE
from training.data.tables import Table, read_exported_events, read_table
from training.errors import DataError, Problem

OPENED = tuple(kind.name.lower() for kind in (EventType.VIEW, EventType.ADD_TO_CART, EventType.PURCHASE))


def is_exported(searches: Table) -> bool:
    """Whether a table of searches was exported by the service: it has lists of items, where a shop's own has one."""
    return "item_ids" in searches.frame.columns


def read_search_table(folder: Path) -> Table | None:
    """Reads a shop's table of searches, exported by the service or of its own; None without one. Raises DataError."""
    return read_table(folder, SEARCHES_TABLE, required=False)


def read_exported_searches(folder: Path, hours: float) -> pl.DataFrame:
    """Reads the searches of a shop with their outcome: see `searches_with_outcome`.

    Raises:
        DataError: There are no exported searches, or no exported events.
    """
    table = read_search_table(folder)
    if table is None or not is_exported(table):
        message = "has no exported searches: run the service with --log-searches true, and training.export_events"
        raise DataError([Problem(SEARCHES_TABLE, None, None, message)])
    return searches_with_outcome(table, folder, hours)


def searches_with_outcome(table: Table, folder: Path, hours: float) -> pl.DataFrame:
    """Finds the outcome of each exported search in the shop's events.

    An event belongs to a search if it names the search's list, the list has its item, and it comes from the same user
    within `hours`.

    Args:
        table: Exported searches.
        folder: The shop's folder, with exported events.
        hours: How long after a search an event counts.

    Returns:
        One row for each search, by user and time: user_id, recommendation_id, timestamp, query, corrected_query ("" if
        no word was corrected), item_ids of all its pages, and which of them were opened, and which were bought and
        not sent back. Every purchase counts as opened, too.

    Raises:
        DataError: There are no exported events.
    """
    searches = _first_pages(table.frame)
    listed = searches.select("recommendation_id", "user_id", pl.col("item_ids").alias("item_id"), searched="timestamp")
    since = pl.col("timestamp") - pl.col("searched")
    events = read_exported_events(folder)
    events = (
        events.with_columns(bought(events))
        .filter(pl.col("event_type").is_in(OPENED), pl.col("recommendation_id").is_not_null())
        .join(listed.explode("item_id"), on=["recommendation_id", "user_id", "item_id"])
        .filter(since.is_between(pl.duration(), pl.duration(minutes=60 * hours)))
    )
    for name, counted in (("opened", events), ("bought", events.filter("bought"))):
        outcome = counted.group_by("recommendation_id")
        items = outcome.agg(pl.col("item_id").unique().sort().alias(name))
        searches = searches.join(items, on="recommendation_id", how="left").with_columns(
            pl.col(name).fill_null(pl.lit([], pl.List(pl.String)))
        )
    return searches.sort("user_id", "timestamp", "recommendation_id")


def _first_pages(pages: pl.DataFrame) -> pl.DataFrame:
    """The first page of each search, with the items of all its pages."""
    items = pages.sort("shown").group_by("recommendation_id").agg(pl.col("item_ids").explode().drop_nulls())
    return (
        pages.filter(pl.col("shown") == 0)
        .select(
            "user_id",
            "recommendation_id",
            "timestamp",
            "query",
            corrected_query=pl.col("corrected_query").fill_null(""),
        )
        .join(items, on="recommendation_id")
    )
