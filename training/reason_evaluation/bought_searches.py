"""Finds the searches after which people bought an item, in the shop's own search log.

The log is the table `searches` (.parquet or .csv) in the shop's folder, one row for each chosen item:

    query       what was typed, 1 to 500 characters
    item_id     the item that was opened or bought from the results
    user_id     who searched
    timestamp   when

The words of one person could say who it is. So a search is used for an item only if enough different people bought the
item soon after it.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.model.catalogue import Catalogue
from recsvc.model.item_words import search_text
from recsvc.model.words import plain_words
from recsvc.reasons.claim import MIN_PEOPLE
from training.data.bought import bought
from training.data.column_checks import TableCheck
from training.data.table_columns import ID_LENGTH
from training.data.tables import read_table
from training.errors import DataError

TABLE = "searches"
QUERY_LENGTH = 500  # characters, as in the contract in protos/
MAX_DAYS = 7  # between a search and the purchase that it led to
MAX_BRAND_WORDS = 4


def read_searches(folder: Path) -> pl.DataFrame | None:
    """Reads a shop's search log.

    Returns:
        The columns query (lower case, single spaces), item_id, user_id and timestamp; None if the shop has no log, or
        its log does not say who searched and when.

    Raises:
        DataError: The log cannot be read. Lists every problem.
    """
    table = read_table(folder, TABLE, required=False)
    if table is None or not {"user_id", "timestamp"} <= set(table.frame.columns):
        return None
    check = TableCheck(table)
    query = check.text("query", QUERY_LENGTH, required=True)
    check.flag("query", query == "", "is empty")
    rows = {name: check.ids(name, ID_LENGTH) for name in ("item_id", "user_id")}
    rows["timestamp"] = check.timestamps("timestamp")
    if check.problems:
        raise DataError(check.problems)
    return pl.DataFrame({"query": query.str.to_lowercase().str.replace_all(r"\s+", " "), **rows})


def bought_searches(searches: pl.DataFrame, events: pl.DataFrame, catalogue: Catalogue) -> dict[str, list[Evidence]]:
    """Returns the searches after which enough people bought an item.

    A search that names the brand of another item is left out: a shop may not advertise under another's name.

    Args:
        searches: As `read_searches` returns them.
        events: The shop's events.
        catalogue: The items.

    Returns:
        By item, facts of the kind QUERY, the most frequent first.
    """
    purchases = events.filter(bought(events)).select("user_id", "item_id", bought="timestamp")
    led = searches.join(purchases, on=["user_id", "item_id"]).filter(
        pl.col("bought").is_between(pl.col("timestamp"), pl.col("timestamp") + pl.duration(days=MAX_DAYS))
    )
    counts = (
        led.group_by("item_id", "query")
        .agg(people=pl.col("user_id").n_unique())
        .filter(pl.col("people") >= MIN_PEOPLE)
        .sort("item_id", "people", "query", descending=[False, True, False])
    )
    brands = {tuple(plain_words(item.brand)) for item in catalogue.items} - {()}
    facts: dict[str, list[Evidence]] = defaultdict(list)
    for item_id, query, people in counts.iter_rows():
        row = catalogue.row(item_id)
        if row is not None and not _names_another(plain_words(query), search_text(catalogue.items[row]), brands):
            fact = Evidence(EvidenceKind.QUERY, Strength.NEUTRAL, value=query, count=people, days=MAX_DAYS)
            facts[item_id].append(fact)
    return dict(facts)


def _names_another(words: Sequence[str], own_text: str, brands: set[tuple[str, ...]]) -> bool:
    """Whether words hold a brand that the item's own text does not."""
    own = f" {' '.join(plain_words(own_text))} "
    spans = (tuple(words[i : i + n]) for n in range(1, MAX_BRAND_WORDS + 1) for i in range(len(words) - n + 1))
    return any(span in brands and f" {' '.join(span)} " not in own for span in spans)
