"""The exported searches of shoppers, one by one, with what each had done before: they measure the weight of taste."""

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from recsvc.domain.history_rooms import newest_events
from recsvc.domain.shop import History
from recsvc.model.bundle import Bundle
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.search_evaluation.queries import SearchQuery
from training.search_evaluation.search_log import SearchLog


def shopper_searches(log: SearchLog, folder: Path, bundle: Bundle, n: int, seed: int) -> list[SearchQuery]:
    """Returns at most `n` searches drawn by seed, of shoppers with a history, after the bundle's last event.

    The items that the shopper opened are relevant. The texts may be personal: report means over them, never a text.

    Args:
        log: Of the shop.
        folder: The shop's folder.
        bundle: Its catalogue has the rows.
        n: Searches, at most.
        seed: Of the draw.

    Returns:
        The searches; none if none was exported, or if it is not known until when the bundle has learned.

    Raises:
        DataError: The shop's tables cannot be read.
    """
    learned_until = bundle.provenance["data"].get("learned_until")
    if log.exported is None or learned_until is None:
        return []
    shop, catalogue = read_shop(folder), bundle.catalogue
    interactions = Interactions.of(shop)
    users = {user_id: user for user, user_id in enumerate(interactions.user_ids)}
    row_of = np.array([-1 if (row := catalogue.row(item_id)) is None else row for item_id in shop.items["item_id"]])
    learned = datetime.fromisoformat(learned_until)
    searches = log.exported.filter(pl.col("timestamp") > learned, pl.col("opened").list.len() > 0)
    searches = searches.filter(pl.col("user_id").is_in(list(users)))
    queries: list[SearchQuery] = []
    for place in np.random.default_rng(seed).permutation(searches.height):
        if len(queries) == n:
            break
        search = searches.row(int(place), named=True)
        relevant = catalogue.rows(search["opened"])
        history = _before(interactions.history(users[search["user_id"]]), search["timestamp"], row_of)
        if len(relevant) and len(history):
            queries.append(SearchQuery(search["query"], np.unique(relevant), "search of a shopper", history))
    return queries


def _before(history: History, time: datetime, row_of: np.ndarray) -> History:
    """The newest events before a time, of items that the bundle has, with its rows.

    Args:
        history: With rows of the shop's items.
        time: Of the search.
        row_of: For each of the shop's items its row in the bundle; -1 if the bundle does not have it.
    """
    microseconds = int(time.timestamp() * 1_000_000)
    kept = newest_events(history.select((history.timestamps < microseconds) & (row_of[history.rows] >= 0)))
    return History(row_of[kept.rows].astype(np.int32), kept.timestamps, kept.event_types, kept.quantities)
