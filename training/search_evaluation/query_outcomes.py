"""Counts what became of each query: how many people typed it, found something, opened it and bought it.

Rates are shares of people, not of searches: people decide independently of each other, and one who searches all day
does not outweigh the others. A query is listed only if at least `min_people` people typed it, since a text that few
people type can be personal.
"""

from collections.abc import Iterable
from typing import Any

import polars as pl
from scipy.stats import binomtest

SHOWN_ITEMS = 10  # of a query, those that most searches showed

Outcome = dict[str, Any]
"""One query; see `outcomes`."""

_COUNTS = ("empty", "opened", "bought")


def outcomes(searches: pl.DataFrame, min_people: int) -> tuple[list[Outcome], dict[str, int], dict[str, int]]:
    """Counts what became of the queries.

    Args:
        searches: See `read_exported_searches`.
        min_people: How many people must have typed a query for it to be listed.

    Returns:
        - The listed queries, most people first: `query`, `people`, `searches`; `empty`, `opened` and `bought`, the
          people who found nothing, opened an item and bought one; `open_rate` and `buy_rate`, shares of the people with
          their 95 % Wilson intervals; `corrected`, the searches whose words were corrected, and `corrected_query`, the
          most frequent correction or ""; `shown`, the items that most searches showed.
        - The sums over all queries.
        - The sums over the queries that are not listed.
    """
    by_query = (
        searches.group_by("query")
        .agg(
            pl.col("user_id").n_unique().alias("people"),
            pl.len().alias("searches"),
            _people(pl.col("item_ids").list.len() == 0).alias("empty"),
            _people(pl.col("opened").list.len() > 0).alias("opened"),
            _people(pl.col("bought").list.len() > 0).alias("bought"),
            (pl.col("item_ids").list.len() == 0).all().alias("always_empty"),
            (pl.col("corrected_query") != "").sum().alias("corrected"),
            pl.col("corrected_query").filter(pl.col("corrected_query") != "").mode().sort().first().fill_null(""),
        )
        .sort("people", "searches", "query", descending=[True, True, False])
    )
    is_listed = pl.col("people") >= min_people
    shown = _shown_items(searches.join(by_query.filter(is_listed), on="query", how="semi"))
    listed = [
        {
            **row,
            "open_rate": rate(row["opened"], row["people"]),
            "buy_rate": rate(row["bought"], row["people"]),
            "shown": shown.get(row["query"], []),
        }
        for row in by_query.filter(is_listed).iter_rows(named=True)
    ]
    withheld = by_query.filter(~is_listed)
    return listed, _sums(searches, by_query), _sums(searches.join(withheld, on="query", how="semi"), withheld)


def rate(successes: int, people: int) -> dict[str, float]:
    """A share of people: `mean`, with `low` and `high`, its 95 % Wilson interval."""
    interval = binomtest(successes, people).proportion_ci(method="wilson")
    return {"mean": successes / people, "low": float(interval.low), "high": float(interval.high)}


def below_average(listed: Iterable[Outcome], counted: str, rate_name: str, sums: dict[str, int]) -> list[Outcome]:
    """The queries whose rate is surely below the rate of all queries together, the lowest first.

    The order is that of the upper ends of the intervals: a query that few people typed has a high one, and does not
    come first by chance. Queries that never found anything are left out.

    Args:
        listed: The queries.
        counted: "opened" or "bought".
        rate_name: "open_rate" or "buy_rate".
        sums: Over all queries.
    """
    if not sums["typed"]:
        return []
    average = sums[counted] / sums["typed"]
    low = [row for row in listed if row[rate_name]["high"] < average and not row["always_empty"]]
    return sorted(low, key=lambda row: (row[rate_name]["high"], row["query"]))


def _people(condition: pl.Expr) -> pl.Expr:
    return pl.col("user_id").filter(condition).n_unique()


def _shown_items(searches: pl.DataFrame) -> dict[str, list[str]]:
    """For each query, the items that most of its searches showed."""
    shown = (
        searches.select("query", item_id="item_ids")
        .explode("item_id")
        .drop_nulls()
        .group_by("query", "item_id")
        .len("times")
        .sort("query", "times", "item_id", descending=[False, True, False])
        .group_by("query", maintain_order=True)
        .agg(pl.col("item_id").head(SHOWN_ITEMS))
    )
    return dict(shown.iter_rows())


def _sums(searches: pl.DataFrame, by_query: pl.DataFrame) -> dict[str, int]:
    """Sums: queries, searches, people; then pairs of a person and a query: typed, empty, opened and bought."""
    pairs = {name: int(by_query[name].sum()) for name in _COUNTS}
    people = searches["user_id"].n_unique()
    return {
        "queries": by_query.height,
        "searches": searches.height,
        "people": people,
        "typed": int(by_query["people"].sum()),
        **pairs,
    }
