"""The lists in which chance had a part, as `training.export_events` wrote them, and what they earned."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.shop import LISTS_FOLDER
from training.data.tables import read_table
from training.errors import DataError, Problem


@dataclass(frozen=True)
class LoggedLists:
    """The first pages of n lists of a placement, oldest first. rewards: by list, 1 for each of its items that led to an
    event of the kind that counts, else 0. further: how many such items stood on the pages after.
    """

    user_ids: list[str]
    times: NDArray[np.int64]
    arms: NDArray[np.object_]
    propensities: NDArray[np.float64]
    item_ids: list[list[str]]
    exploration: NDArray[np.float64]
    candidates: list[list[str]]
    rewards: list[NDArray[np.float64]]
    further: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user_ids)

    def select(self, chosen: NDArray[np.intp]) -> "LoggedLists":
        return LoggedLists(
            [self.user_ids[i] for i in chosen],
            self.times[chosen],
            self.arms[chosen],
            self.propensities[chosen],
            [self.item_ids[i] for i in chosen],
            self.exploration[chosen],
            [self.candidates[i] for i in chosen],
            [self.rewards[i] for i in chosen],
            self.further[chosen],
        )

    def user_codes(self) -> NDArray[np.intp]:
        """(n,): the same number for the lists of one user."""
        return np.unique(np.array(self.user_ids, object), return_inverse=True)[1]


def read_logged_lists(folder: Path, placement: str, reward: str, hours: float) -> LoggedLists:
    """The lists of a placement in a shop's folder. reward: the type of event that counts, when it names the list and
    comes within so many hours after it.

    Raises DataError when there are none, or no exported events.
    """
    lists = _read(folder, LISTS_FOLDER).filter(pl.col("placement") == placement)
    if lists.is_empty():
        known = ", ".join(_read(folder, LISTS_FOLDER)["placement"].unique().sort().to_list())
        raise DataError([Problem(LISTS_FOLDER, None, "placement", f"has no lists of {placement!r}, but of: {known}")])
    first = lists.filter(pl.col("shown") == 0).sort("timestamp", "recommendation_id")
    given = first.select("recommendation_id", "user_id", pl.col("timestamp").alias("given"))
    events = _read(folder, "events")
    if "recommendation_id" not in events.columns:
        raise DataError([Problem("events", None, "recommendation_id", "is missing: export the events of the service")])
    earned = (
        events.filter(pl.col("event_type") == reward, pl.col("recommendation_id").is_not_null())
        .join(given, on=["recommendation_id", "user_id"])
        .filter((pl.col("timestamp") - pl.col("given")).is_between(pl.duration(), pl.duration(minutes=60 * hours)))
        .select("recommendation_id", "item_id")
        .unique()
    )
    later = lists.filter(pl.col("shown") > 0).select("recommendation_id", pl.col("item_ids").alias("item_id"))
    further = later.explode("item_id").join(earned, on=["recommendation_id", "item_id"]).group_by("recommendation_id")
    found = earned.group_by("recommendation_id").agg(pl.col("item_id").alias("earned"))
    for more in (found, further.len("further")):
        first = first.join(more, on="recommendation_id", how="left", maintain_order="left")
    item_ids = first["item_ids"].to_list()
    rewards = [
        np.array([item_id in (ids or ()) for item_id in shown], np.float64)
        for shown, ids in zip(item_ids, first["earned"].to_list(), strict=True)
    ]
    return LoggedLists(
        first["user_id"].to_list(),
        first["timestamp"].to_physical().to_numpy().astype(np.int64),
        first["arm"].to_numpy().astype(object),
        first["propensity"].to_numpy(),
        item_ids,
        first["exploration"].to_numpy(),
        first["candidates"].to_list(),
        rewards,
        first["further"].fill_null(0).to_numpy().astype(np.float64),
    )


def _read(folder: Path, name: str) -> pl.DataFrame:
    table = read_table(folder, name)
    return table.frame if table is not None else pl.DataFrame()
